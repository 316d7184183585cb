// Signing in from another machine: the token once, then a cookie that pages and event streams send by themselves.

const note = document.getElementById("door-note");
const token = document.getElementById("token");

document.getElementById("door").addEventListener("submit", async (event) => {
  event.preventDefault();
  note.className = "note";
  note.textContent = "Asking…";
  try {
    const response = await fetch("/api/lan/login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token: token.value }),
    });
    if (response.ok) return location.assign("/");
    const answer = await response.json().catch(() => ({}));
    note.textContent = answer.error || "The server refused.";
  } catch {
    note.textContent = "The server cannot be reached.";
  }
  note.className = "note bad";
  token.select();
  return undefined;
});
