// The gallery: newest first, page by page, new pictures at the head the moment they are there.

import { ask } from "./api.js";
import { $, counted, h } from "./dom.js";

const PAGE = 48;
const SWAP_MS = 3000;
const rows = [];
const tiles = new Map();
let cursor = null;
let total = 0;
let show = () => {};

/** Say what opens a picture: `open(index)` of `rows`. */
export function prepare({ open }) {
  show = open;
  $("more").addEventListener("click", more);
}

/** The rows shown, newest first. */
export const shown = () => rows;

let loading = null;

/** Load the first page. Asked twice at once, it is loaded once. */
export function load() {
  loading ??= first().finally(() => (loading = null));
  return loading;
}

async function first() {
  const ghosts = Array.from({ length: 8 }, () => h("li", { class: "tile ghost", "aria-hidden": "true" }));
  if (!rows.length) $("grid").append(...ghosts);
  try {
    const page = await ask(`/api/history?limit=${PAGE}`);
    merge(page.items);
    if (rows.length <= PAGE) cursor = page.nextCursor;
    settle(page);
  } finally {
    for (const ghost of ghosts) ghost.remove();
    $("grid").setAttribute("aria-busy", "false");
  }
}

/** Fetch what a job made and put it in place of the job's tile. */
export async function collect(id, place) {
  const page = await ask(`/api/history?limit=24&requestId=${encodeURIComponent(id)}`).catch(() => null);
  if (place && page?.items.length) await Promise.race([Promise.all(page.items.map(ready)), wait(SWAP_MS)]);
  if (page?.items.length) merge(page.items, place);
  place?.remove();
  if (page) settle(page);
  return page?.items.length ?? 0;
}

/** Fetch a picture before it is shown, so that it takes its preview's place without a gap. */
async function ready(row) {
  const picture = new Image();
  picture.src = row.thumb || row.url;
  await picture.decode().catch(() => {});
}

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function more() {
  if (!cursor) return;
  $("more").disabled = true;
  try {
    const query = new URLSearchParams({ limit: PAGE, before: cursor.before, beforeFilename: cursor.beforeFilename });
    const page = await ask(`/api/history?${query}`);
    cursor = page.nextCursor;
    merge(page.items);
    settle(page);
  } finally {
    $("more").disabled = false;
  }
}

/** Put rows where they belong by time. Those that are new to a settled gallery arrive visibly. */
function merge(items, place) {
  for (const row of items) {
    if (tiles.has(row.filename)) continue;
    const at = rows.findIndex((other) => older(other, row));
    const next = at < 0 ? null : tiles.get(rows[at].filename);
    const tile = drawn(row, Boolean(place));
    tiles.set(row.filename, tile);
    rows.splice(at < 0 ? rows.length : at, 0, row);
    if (place) place.before(tile);
    else if (next) next.before(tile);
    else $("grid").append(tile);
  }
}

const older = (one, other) => one.createdAt < other.createdAt || (one.createdAt === other.createdAt && one.filename < other.filename);

function settle(page) {
  if (typeof page.total === "number") total = Math.max(page.total, rows.length);
  const reading = page.indexing?.todo ? ` · reading the folder, ${page.indexing.done} of ${page.indexing.todo}` : "";
  $("gallery-note").textContent = total ? counted(total, "picture") + reading : reading.slice(3);
  $("more").hidden = !cursor;
  if (page.indexing) setTimeout(() => load().catch(() => {}), 1500);
}

function drawn(row, fresh) {
  const words = row.userPrompt || row.prompt || row.filename;
  const film = row.mediaType === "video";
  const source = row.thumb || (film ? null : row.url);
  const picture = source && h("img", { alt: "", loading: fresh ? "eager" : "lazy", decoding: "async", src: source });
  picture?.addEventListener("error", () => row.thumb && picture.src.endsWith(row.thumb) && !film && (picture.src = row.url), { once: true });
  const open = () => show(rows.indexOf(row));
  return h(
    "li",
    { class: fresh ? "tile fresh" : "tile", data: { filename: row.filename } },
    h("button", { type: "button", "aria-label": `Open: ${words.slice(0, 120)}`, onclick: open }, picture, h("span", { class: "caption" }, h("b", {}, words))),
    film && h("span", { class: "kind chip" }, "Clip"),
  );
}
