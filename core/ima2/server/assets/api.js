// Asking the server. A refusal is thrown as `Refused` with the server's own code and sentence.

/** What the server refused: `code` for programs, `message` for people, `status` of HTTP (0: it was not reached). */
export class Refused extends Error {
  constructor(status, body) {
    const told = body && typeof body.error === "object" && body.error ? body.error : body || {};
    super(typeof told.message === "string" ? told.message : told.error || "The server did not answer as expected.");
    this.code = told.code || (status ? `HTTP_${status}` : "SERVER_UNREACHABLE");
    this.status = status;
  }
}

let ahead = 0;

/** Now by the server's clock, in milliseconds: so that elapsed times are right on a machine whose clock is not. */
export const serverNow = () => Date.now() + ahead;

/** One request; resolves with the JSON of the answer. */
export async function ask(path, { method = "GET", body } = {}) {
  const options = { method, headers: body ? { "content-type": "application/json" } : {} };
  if (body) options.body = JSON.stringify(body);
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Refused(0, { error: "The server cannot be reached." });
  }
  const date = Date.parse(response.headers.get("date") || "");
  if (date && Math.abs(date + 500 - Date.now()) > 2000) ahead = date + 500 - Date.now();
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer;
  const refused = new Refused(response.status, answer);
  if (refused.code === "TOKEN_REQUIRED") location.assign("/lan");
  throw refused;
}
