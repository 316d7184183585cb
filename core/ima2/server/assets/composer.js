// The form: what to draw and by whom. Its fields follow what the chosen provider declares.

import { alertOf } from "./alerts.js";
import { ask } from "./api.js";
import { $, h, rich } from "./dom.js";
import * as jobs from "./jobs.js";

const form = $("composer");
const fields = form.elements;
const KEPT = "ima2.page.choices";
const CUSTOM = "custom";
const PARTIALS = 2;
const BY_OPTION = ["choice", "flag", "text", "number"];
let providers = [];
let kept = JSON.parse(localStorage.getItem(KEPT) || "{}");

/** Make the form work. */
export function prepare() {
  form.addEventListener("submit", submit);
  fields.provider.addEventListener("change", () => (remember(), fit()));
  fields.size.addEventListener("change", showCustom);
  form.addEventListener("change", remember);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
}

/** Offer these providers: rows of `/api/providers`. The choice stays where it can. */
export function offer(rows, preferred) {
  providers = rows.filter((row) => row.media.includes("image"));
  const before = fields.provider.value || kept.provider;
  const usable = providers.filter((row) => !row.problem);
  const fallback = usable.find((row) => row.id === preferred) || usable[0] || providers[0];
  fields.provider.replaceChildren(...providers.map((row) => h("option", { value: row.id }, row.problem ? `${row.title} (not ready)` : row.title)));
  fields.provider.value = providers.some((row) => row.id === before) ? before : fallback?.id || "";
  form.querySelector(".go").disabled = providers.length === 0;
  fit();
}

/** Put a prompt back into the form. */
export function reuse(prompt) {
  fields.prompt.value = prompt;
  fields.prompt.focus();
  form.scrollIntoView({ block: "center" });
}

const chosen = () => providers.find((row) => row.id === fields.provider.value);

function fit() {
  const row = chosen();
  $("composer-note").replaceChildren(...rich(row ? row.problem || "" : "No provider is on. `ima2 plugins list` shows what is installed."));
  if (!row) return;
  const models = row.models.filter((model) => model.media === "image" && model.supported);
  fill("model", models.map((model) => [model.id, model.title]), row.defaultModel);
  fields.model.closest("label").hidden = models.length < 2;
  const sizes = [...new Set([row.defaultSize, ...row.sizes.listed])].filter((size) => size !== "auto").map((size) => [size, size.replace("x", " × ")]);
  if (row.sizes.auto) sizes.push(["auto", "Automatic"]);
  if (row.sizes.free) sizes.push([CUSTOM, "Other…"]);
  fill("size", sizes, row.defaultSize);
  fill("quality", row.qualities.map((quality) => [quality, quality]), "medium");
  fill("count", Array.from({ length: row.maxCount }, (_, index) => [String(index + 1), String(index + 1)]), "1");
  const formats = row.formats.length ? row.formats.map((format) => [format, format.toUpperCase()]) : [["", "as it comes"]];
  fill("format", formats, "png");
  fields.format.disabled = row.formats.length === 0;
  showCustom();
  options(row);
}

function fill(name, pairs, fallback) {
  const before = fields[name].value || kept[name];
  fields[name].replaceChildren(...pairs.map(([value, text]) => h("option", { value }, text)));
  const has = (value) => pairs.some(([known]) => known === value);
  fields[name].value = [before, fallback, pairs[0]?.[0]].find(has) ?? "";
}

function showCustom() {
  const custom = fields.size.value === CUSTOM;
  fields.custom.closest("label").hidden = !custom;
  fields.custom.required = custom;
}

function options(row) {
  const known = row.options.filter((option) => BY_OPTION.includes(option.kind) && option.media.includes("image"));
  $("options").replaceChildren(...known.map(control));
  $("options").closest("details").hidden = known.length === 0;
}

function control(option) {
  const name = `option:${option.name}`;
  if (option.kind === "flag") {
    return h("label", { class: "choice check" }, h("input", { type: "checkbox", name, checked: option.default === true }), h("span", {}, option.title));
  }
  const input =
    option.kind === "choice"
      ? h("select", { name }, option.values.map((value) => h("option", { value, selected: value === option.default }, value)))
      : h("input", { name, type: option.kind === "number" ? "number" : "text", step: "any", value: option.default ?? "" });
  return h("label", { class: "choice" }, h("span", {}, option.title), input);
}

/** The provider's options that differ from its defaults; the others are its own business. */
function wanted(row) {
  const answer = {};
  for (const option of row.options) {
    const field = fields[`option:${option.name}`];
    if (!field) continue;
    let value = option.kind === "flag" ? field.checked : field.value;
    if (option.kind === "number") value = value === "" ? null : Number(value);
    if (value !== "" && value !== null && value !== option.default) answer[option.name] = value;
  }
  return answer;
}

function remember() {
  kept = { ...kept };
  for (const name of ["provider", "size", "quality", "count", "format"]) if (fields[name].value) kept[name] = fields[name].value;
  localStorage.setItem(KEPT, JSON.stringify(kept));
}

async function submit(event) {
  event.preventDefault();
  const row = chosen();
  const prompt = fields.prompt.value.trim();
  if (!row || !prompt) return;
  const id = `f_${Date.now()}_${Math.random().toString(36).slice(2, 8)}`;
  const many = Number(fields.count.value) || 1;
  const body = {
    prompt,
    provider: row.id,
    size: fields.size.value === CUSTOM ? fields.custom.value : fields.size.value,
    quality: fields.quality.value,
    n: many,
    options: wanted(row),
    partials: PARTIALS,
    async: true,
    requestId: id,
  };
  if (fields.model.value && !fields.model.closest("label").hidden) body.model = fields.model.value;
  if (fields.format.value) body.format = fields.format.value;
  jobs.begin({ id, prompt, many });
  try {
    await ask("/api/generate", { method: "POST", body });
  } catch (error) {
    jobs.forget(id);
    alertOf({ code: error.code, text: error.message });
  }
}
