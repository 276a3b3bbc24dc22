// Making and changing elements. Text is always text: nothing here reads markup.

export function byId(id) {
  return document.getElementById(id);
}

// An element with attributes (`class`, `data-…`, `aria-…`; true stands for an empty value, null and false for none),
// listeners (functions under `onclick` and the like) and children (nodes or texts; null is left out).
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

// Writes only what has changed: most of a page is the same from one event to the next.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node, name, value) {
  const text = String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

const drawn = new WeakMap();

// Draws what is in an element anew, but only when what it is drawn from has changed: somebody may be reading, or
// selecting text.
export function redraw(root, source, make) {
  const text = JSON.stringify(source);
  if (drawn.get(root) === text) return;
  drawn.set(root, text);
  root.replaceChildren(...[make()].flat());
}

// Facts as a list of names and values; facts whose value is null are left out.
export function facts(...pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined);
  return el("dl", { class: "facts" }, shown.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

export function code(text) {
  return el("code", { class: "whole" }, text);
}

let toastTimer = 0;

// A message that goes away by itself; screen readers say it.
export function toast(text) {
  const node = byId("toast");
  node.hidden = false;
  setText(node, text);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { node.hidden = true; }, 8000);
}
