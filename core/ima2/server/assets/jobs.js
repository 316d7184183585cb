// What runs: one tile a job at the head of the gallery, with its phase, its time, its previews and a way to stop it.

import { alertOf, notice } from "./alerts.js";
import { ask, serverNow } from "./api.js";
import { $, h, lasted, say } from "./dom.js";

const PHASES = { queued: "Waiting", planning: "Planning", streaming: "Drawing", decoding: "Finishing" };
const UNKNOWN_MS = 10000;
const running = new Map();
let pictures = () => {};
let reuse = () => {};

/** Say what to do with a finished job (`done(id, prompt)`) and with a prompt that is wanted again (`again(prompt)`). */
export function prepare({ done, again }) {
  pictures = done;
  reuse = again;
  setInterval(tick, 500);
}

/** How many jobs run. */
export const count = () => running.size;

/** Show a job. `startedAt` is in the server's milliseconds. */
export function begin({ id, prompt, startedAt = serverNow(), many = 1, phase = "queued" }) {
  if (running.has(id)) return;
  const parts = {
    previews: h("div", { class: "previews" }),
    phase: h("span", {}, PHASES[phase] || phase),
    time: h("span", {}),
    bar: h("i"),
  };
  const cancel = h("button", { class: "cancel", type: "button", "aria-label": `Cancel: ${prompt.slice(0, 80)}`, onclick: () => stop(id) }, "Cancel");
  const track = h("div", { class: "bar" }, parts.bar);
  track.style.visibility = "hidden";
  const tile = h(
    "li",
    { class: "tile job", data: { job: id } },
    parts.previews,
    h("div", { class: "caption" }, h("b", {}, prompt), h("div", { class: "line" }, parts.phase, parts.time), track),
    cancel,
  );
  parts.previews.style.setProperty("--across", Math.ceil(Math.sqrt(many)));
  running.set(id, { id, prompt, startedAt, tile, parts, track, cancel, images: new Map(), shownAt: Date.now() });
  $("grid").prepend(tile);
  tick();
}

/** Take a job away without a word. */
export function forget(id) {
  running.get(id)?.tile.remove();
  running.delete(id);
}

/** One event of the stream. */
export function heard(name, data) {
  const id = data.requestId || data.jobId;
  const job = running.get(id);
  if (name === "done") return finish(id);
  if (name === "error") return fail(id, data.code, data.error);
  if (!job) return resync();
  if (name === "phase") phase(job, data.phase);
  if (name === "partial" && data.image) preview(job, data.index || 0, data.image);
  if (name === "progress") {
    job.tile.classList.toggle("stalled", data.stalled === true);
    job.track.style.visibility = typeof data.progress === "number" ? "visible" : "hidden";
    if (typeof data.progress === "number") job.parts.bar.style.width = `${Math.round(data.progress * 100)}%`;
  }
  return undefined;
}

let asking = null;

/** Compare what is shown with the server's own list, which is the truth. One request at a time. */
export function resync() {
  asking ??= compare().finally(() => (asking = null));
  return asking;
}

async function compare() {
  const before = new Set(running.keys());
  const { jobs, terminalJobs } = await ask("/api/inflight?includeTerminal=1");
  const ended = new Map(terminalJobs.map((job) => [job.requestId, job]));
  const active = new Set(jobs.map((job) => job.requestId));
  for (const job of jobs) {
    begin({ id: job.requestId, prompt: job.prompt, startedAt: job.startedAt, many: job.meta?.n, phase: job.phase });
    phase(running.get(job.requestId), job.phase);
  }
  for (const id of before) {
    const job = running.get(id);
    if (!job || active.has(id)) continue;
    const end = ended.get(id);
    if (end?.status === "completed") finish(id);
    else if (end) fail(id, end.errorCode, null);
    else if (Date.now() - job.shownAt > UNKNOWN_MS) fail(id, "JOB_UNKNOWN", "The server does not know this job any more.");
  }
}

function phase(job, name) {
  if (job && name) job.parts.phase.textContent = PHASES[name] || name;
}

function preview(job, index, address) {
  const picture = new Image();
  picture.alt = "";
  picture.src = address;
  picture.decode().then(
    () => {
      if (running.get(job.id) !== job) return;
      job.images.get(index)?.remove();
      job.images.set(index, picture);
      picture.style.order = index;
      job.parts.previews.append(picture);
    },
    () => {},
  );
}

function finish(id) {
  const job = running.get(id);
  running.delete(id);
  pictures(id, job?.tile);
}

function fail(id, code, text) {
  const job = running.get(id);
  forget(id);
  if (!job) return;
  if (code === "GENERATION_CANCELED") return notice("Canceled. Nothing more is drawn for that prompt.");
  alertOf({ code: code || "UNKNOWN", text: text || "The job ended without a picture.", prompt: job.prompt, again: () => reuse(job.prompt) });
}

async function stop(id) {
  const job = running.get(id);
  if (!job) return;
  job.cancel.disabled = true;
  job.parts.phase.textContent = "Stopping";
  say("Stopping");
  try {
    await ask(`/api/inflight/${encodeURIComponent(id)}`, { method: "DELETE" });
  } catch (error) {
    job.cancel.disabled = false;
    alertOf({ code: error.code, text: error.message });
  }
  resync().catch(() => {});
}

function tick() {
  for (const job of running.values()) job.parts.time.textContent = lasted((serverNow() - job.startedAt) / 1000);
}
