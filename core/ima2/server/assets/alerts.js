// Messages that stay until they are dismissed: what failed, its code, what to do.

import { advice } from "./advice.js";
import { $, h, rich, say } from "./dom.js";

/** Show a failure. `again` is called by the button that takes the prompt back; without it there is no such button. */
export function alertOf({ code, text, prompt, again }) {
  const close = () => message.remove();
  const message = h(
    "article",
    { class: "alert", role: "alert", data: { code } },
    h("p", {}, h("strong", {}, rich(text)), " ", h("span", { class: "mono" }, code)),
    h("button", { class: "round", type: "button", "aria-label": "Dismiss", onclick: close }, "✕"),
    h("p", {}, rich(advice(code))),
    prompt && h("p", { class: "quote" }, prompt),
    again && h("div", { class: "actions" }, h("button", { class: "quiet", type: "button", onclick: () => (close(), again()) }, "Use again")),
  );
  $("alerts").prepend(message);
  while ($("alerts").children.length > 4) $("alerts").lastElementChild.remove();
  message.scrollIntoView({ block: "nearest" });
}

/** Show something that is no failure but worth knowing. It goes by itself. */
export function notice(text) {
  const message = h("article", { class: "alert mild" }, h("p", {}, text));
  $("alerts").prepend(message);
  say(text);
  setTimeout(() => message.remove(), 8000);
}
