// The page: puts its pieces together and keeps them true.

import { ask } from "./api.js";
import * as composer from "./composer.js";
import { $, counted, say } from "./dom.js";
import * as gallery from "./gallery.js";
import * as house from "./house.js";
import * as jobs from "./jobs.js";
import * as panels from "./panels.js";
import { listen } from "./stream.js";
import * as viewer from "./viewer.js";

const BUSY_MS = 3000;
const CALM_MS = 20000;
let live = false;
let known = {};
let lookedAt = 0;

composer.prepare();
gallery.prepare({ open: viewer.open });
viewer.prepare({ list: gallery.shown, again: composer.reuse });
jobs.prepare({
  again: composer.reuse,
  done: async (id, tile) => {
    const made = await gallery.collect(id, tile);
    if (made) say(`${counted(made, "picture")} ready`);
    pulse();
  },
});

listen({
  opened: () => {
    live = true;
    pulse();
    refresh();
  },
  lost: () => {
    live = false;
    pulse();
  },
  event: (name, data) => {
    jobs.heard(name, data);
    pulse();
  },
});

refresh();
setInterval(look, 1000);

/** Look again now and then: often while something runs (events are hints, the list is the truth), else seldom. */
function look() {
  if (Date.now() - lookedAt >= (jobs.count() ? BUSY_MS : CALM_MS)) refresh();
}

/** Jobs always; the house and the gallery when the server is another one than before. */
async function refresh() {
  lookedAt = Date.now();
  try {
    const [health] = await Promise.all([ask("/api/health"), jobs.resync()]);
    if (health.startedAt !== known.startedAt) {
      known = health;
      const [answer] = await Promise.all([house.load(), gallery.load()]);
      composer.offer(answer.providers, answer.default);
      panels.load();
    }
    $("version").textContent = `ima2 ${health.version}`;
    known.reached = true;
  } catch {
    known.reached = false;
  }
  pulse();
}

function pulse() {
  const running = jobs.count();
  const state = live ? "live" : known.reached ? "waiting" : "lost";
  const quiet = { live: "Ready", waiting: "Polling", lost: "Server not reached" }[state];
  $("pulse").dataset.state = state;
  $("pulse").lastElementChild.textContent = running && state !== "lost" ? `${running} running` : quiet;
}
