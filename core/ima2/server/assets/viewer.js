// One picture, large, with its prompt and how it was made. Escape closes, arrows turn.

import { $, h, lasted, say } from "./dom.js";

const dialog = $("viewer");
let rows = () => [];
let reuse = () => {};
let at = 0;

/** Give the viewer its pictures (`list()`) and what takes a prompt again (`again(prompt)`). */
export function prepare({ list, again }) {
  rows = list;
  reuse = again;
  $("viewer-close").addEventListener("click", () => dialog.close());
  $("viewer-newer").addEventListener("click", () => turn(-1));
  $("viewer-older").addEventListener("click", () => turn(1));
  $("viewer-copy").addEventListener("click", copy);
  $("viewer-reuse").addEventListener("click", () => (dialog.close(), reuse(words(rows()[at]))));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => $("stage").replaceChildren());
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") turn(-1);
    if (event.key === "ArrowRight") turn(1);
  });
}

/** Open the picture at an index of the list. */
export function open(index) {
  at = index;
  draw();
  if (!dialog.open) dialog.showModal();
}

function turn(step) {
  if (!rows()[at + step]) return;
  at += step;
  draw();
}

function draw() {
  const row = rows()[at];
  const film = row.mediaType === "video";
  const media = film
    ? h("video", { src: row.url, controls: true, loop: true, playsinline: true, poster: row.thumb })
    : h("img", { src: row.url, alt: words(row) || "Picture" });
  $("stage").replaceChildren(media);
  $("viewer-title").textContent = film ? "Clip" : "Picture";
  $("viewer-prompt").textContent = words(row) || "Made without a prompt that is known here.";
  const download = $("viewer-download");
  download.href = row.url;
  download.download = row.filename.split("/").pop();
  $("viewer-copy").disabled = $("viewer-reuse").disabled = !words(row);
  $("viewer-copy").textContent = "Copy prompt";
  $("viewer-newer").disabled = !rows()[at - 1];
  $("viewer-older").disabled = !rows()[at + 1];
  $("viewer-facts").replaceChildren(...facts(row).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

const words = (row) => row.userPrompt || row.prompt || "";

function facts(row) {
  const revised = row.revisedPrompt && row.revisedPrompt !== row.prompt ? row.revisedPrompt : null;
  return [
    ["Made", new Date(row.createdAt).toLocaleString()],
    ["Provider", row.provider],
    ["Model", row.model],
    ["Size", row.size],
    ["Quality", row.quality],
    ["Format", row.format],
    ["References", row.refsCount || null],
    ["Took", typeof row.elapsed === "number" || (typeof row.elapsed === "string" && row.elapsed) ? lasted(Number(row.elapsed)) : null],
    ["Drawn from", revised],
    ["File", row.filename],
  ].filter(([, value]) => value !== null && value !== undefined && value !== "");
}

async function copy() {
  const text = words(rows()[at]);
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const range = document.createRange();
    range.selectNodeContents($("viewer-prompt"));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    document.execCommand("copy");
  }
  $("viewer-copy").textContent = "Copied";
  say("Prompt copied");
}
