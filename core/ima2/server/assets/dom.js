// Making elements. Text is always text: nothing from outside is read as HTML.

/** The element with an id. */
export const $ = (id) => document.getElementById(id);

/** An element with properties (`class`, `data`, `style`, `on…` handlers, attributes) and children (nodes, text, or nothing). */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Text of the server with its `commands` set as code. */
export const rich = (text) => text.split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));

/** Say something to those who listen to the page. */
export function say(text) {
  $("spoken").textContent = text;
}

/** Seconds as people read them: `8 s`, `1:05`. */
export function lasted(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** `1 picture`, `2 pictures`. */
export const counted = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
