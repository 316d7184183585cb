// Pieces of the page that plugins bring. Each script is a module of the plugin's own routes that exports `mount(element)`.

import { ask } from "./api.js";
import { $, h } from "./dom.js";

let shown = false;

/** Put every panel below the providers, once. One that fails says so in its own place and harms no other. */
export async function load() {
  if (shown) return;
  shown = true;
  const { panels } = await ask("/api/panels");
  for (const panel of panels) {
    const place = h("div", { class: "panel" });
    const title = `panel-${panel.plugin}-${panel.id}`;
    const heading = h("div", { class: "heading" }, h("h2", { id: title }, panel.title));
    $("plugins").before(h("section", { "aria-labelledby": title, data: { slot: panel.slot } }, heading, place));
    try {
      const { mount } = await import(panel.script);
      await mount(place);
    } catch {
      place.replaceChildren(h("p", { class: "soft" }, `This part of ${panel.plugin} could not be shown.`));
    }
  }
}
