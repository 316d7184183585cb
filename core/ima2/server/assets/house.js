// What is installed: providers with what they lack, plugins with their states.

import { ask } from "./api.js";
import { $, counted, h, rich } from "./dom.js";

const STATES = { ready: "good", failed: "bad", off: "", found: "" };

/** Fetch and show both lists. Returns the answer of `/api/providers`. */
export async function load() {
  const [providers, plugins] = await Promise.all([ask("/api/providers"), ask("/api/plugins")]);
  showProviders(providers);
  showPlugins(plugins.plugins);
  return providers;
}

function showProviders({ providers, default: preferred }) {
  const ready = providers.filter((row) => !row.problem).length;
  $("house-note").textContent = providers.length ? `${ready} of ${providers.length} ready` : "none is on";
  $("providers").replaceChildren(...providers.map((row) => card(row, row.id === preferred)));
}

function card(row, isDefault) {
  const state = row.problem
    ? [h("i", { class: "dot warn", "aria-hidden": "true" }), h("span", {}, rich(row.problem))]
    : [h("i", { class: "dot good", "aria-hidden": "true" }), h("span", {}, "Ready")];
  return h(
    "li",
    { class: "card", data: { provider: row.id } },
    h("header", {}, h("h3", {}, row.title), isDefault && h("span", { class: "chip strong" }, "default"), h("code", { class: "chip" }, row.id)),
    h("p", { class: "state" }, state),
    h("p", { class: "chips" }, abilities(row).map((text) => h("span", { class: "chip" }, text))),
  );
}

function abilities(row) {
  const models = row.models.filter((model) => model.supported).length;
  return [
    ...row.media.map((media) => (media === "image" ? "pictures" : media === "video" ? "clips" : media)),
    models > 1 && `${models} models`,
    row.maxReferences && counted(row.maxReferences, "reference"),
    row.edit && "edits",
    row.mask && "masks",
    row.partials && "previews",
    row.sequence && "stories",
  ].filter(Boolean);
}

function showPlugins(rows) {
  const failed = rows.filter((row) => row.state === "failed").length;
  const off = rows.filter((row) => row.state === "off").length;
  const said = [`${rows.length} installed`, off && `${off} off`, failed && `${failed} failed`];
  $("plugins-note").textContent = said.filter(Boolean).join(" · ");
  $("plugin-rows").replaceChildren(...rows.map(line));
}

function line(row) {
  const rest = row.error ? `${row.stage}: ${row.error}` : (row.offers || []).map((offer) => offer.replace(":", " ")).join(", ");
  const from = [row.package, row.version].filter(Boolean).join(" ");
  return h(
    "li",
    { data: { plugin: row.name } },
    h("i", { class: `dot ${STATES[row.state] ?? ""}`, "aria-hidden": "true" }),
    h("span", { class: "name", title: from }, row.name),
    h("span", { class: "soft" }, row.state),
    h("span", { class: "rest" }, rich(rest)),
  );
}
