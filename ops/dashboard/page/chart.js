// Lines over the last quarter of an hour, drawn as SVG: a path for each line, written anew at each event. The values can
// be read with the mouse, and with the arrow keys.

import { el, setAttribute, setText, svg } from "./dom.js";
import { clock } from "./numbers.js";

const SPAN_MS = 15 * 60 * 1000;
const GAP_MS = 20_000; // a line does not go across a longer silence
const LINES = 4;
const LEFT = 52;
const BOTTOM = 18;
const TOP = 8;

export class LineChart {
  // `series` are names of lines; `axis(value)` labels the axis, `tell(series, point)` words a point's value.
  constructor(root, name, series, { axis, tell }) {
    this.root = root;
    this.name = name;
    this.series = series;
    this.axis = axis;
    this.tell = tell;
    this.at = [];
    this.columns = series.map(() => []);
    this.cursor = -1;
    this.build();
    new ResizeObserver(() => this.draw()).observe(root);
  }

  // Times in milliseconds, and beside each a number or null for every line.
  show(at, columns) {
    this.at = at;
    this.columns = columns;
    this.draw();
  }

  build() {
    this.grid = svg("path", { class: "grid" });
    this.yLabels = Array.from({ length: LINES + 1 }, () => svg("text", { "text-anchor": "end" }));
    this.xLabels = ["start", "middle", "end"].map((anchor) => svg("text", { "text-anchor": anchor }));
    this.paths = this.series.map((_, number) => svg("path", { class: `series series-${number + 1}` }));
    this.area = svg("path", { class: "area" }); // below the line, where there is only one
    this.cross = svg("path", { class: "cross" });
    this.picture = svg("svg", { class: "picture", "aria-hidden": "true" }, this.grid, this.area, ...this.yLabels, ...this.xLabels, ...this.paths, this.cross);
    this.tip = el("div", { class: "tip", hidden: true });
    this.latest = this.series.map(() => el("b"));
    this.frame = el("div", { tabindex: "0", role: "img", "aria-label": this.name }, this.picture, this.tip);
    this.root.replaceChildren(this.frame, this.keys());
    this.frame.addEventListener("pointermove", (event) => this.point(this.nearest(event)));
    this.frame.addEventListener("pointerleave", () => this.point(-1));
    this.frame.addEventListener("blur", () => this.point(-1));
    this.frame.addEventListener("focus", () => setAttribute(this.frame, "aria-label", `${this.name}. ${this.words(this.at.length - 1)}`));
    this.frame.addEventListener("keydown", (event) => this.step(event));
  }

  keys() {
    return el("ul", { class: "keys" }, this.series.map((name, number) => {
      const line = svg("svg", { viewBox: "0 0 24 8", "aria-hidden": "true" }, svg("line", { class: `series-${number + 1}`, x1: 0, y1: 4, x2: 24, y2: 4 }));
      return el("li", {}, line, name, this.latest[number]);
    }));
  }

  draw() {
    const { width, height } = this.picture.getBoundingClientRect();
    if (!width) return;
    this.size = { width, height };
    const until = this.at.at(-1) ?? Date.now();
    this.from = until - SPAN_MS;
    this.top = ceiling(Math.max(0, ...this.columns.flat().filter((value) => value !== null)));
    this.drawAxes(until);
    for (const [number, column] of this.columns.entries()) {
      setAttribute(this.paths[number], "d", this.line(column));
      const last = this.at.length - 1;
      setText(this.latest[number], last < 0 ? "" : this.tell(number, last));
    }
    if (this.series.length === 1) setAttribute(this.area, "d", this.below(this.columns[0]));
    if (this.cursor >= 0) this.point(this.cursor);
  }

  drawAxes(until) {
    const { width, height } = this.size;
    const values = Array.from({ length: LINES + 1 }, (_, line) => (this.top * line) / LINES);
    setAttribute(this.grid, "d", values.map((value) => `M${LEFT} ${Math.round(this.y(value))}H${width}`).join(""));
    for (const [line, value] of values.entries()) {
      const label = this.yLabels[line];
      setAttribute(label, "x", LEFT - 8);
      setAttribute(label, "y", this.y(value) + 4);
      setText(label, this.axis(value));
    }
    for (const [number, label] of this.xLabels.entries()) {
      setAttribute(label, "x", LEFT + ((width - LEFT) * number) / 2);
      setAttribute(label, "y", height - 3);
      setText(label, clock(this.from + ((until - this.from) * number) / 2));
    }
  }

  line(column) {
    const parts = [];
    let before = -Infinity;
    for (let number = 0; number < this.at.length; number += 1) {
      const at = this.at[number];
      if (column[number] === null || column[number] === undefined || at < this.from) continue;
      parts.push(`${at - before > GAP_MS ? "M" : "L"}${this.x(at).toFixed(1)} ${this.y(column[number]).toFixed(1)}`);
      before = at;
    }
    return parts.join("");
  }

  below(column) {
    const floor = this.y(0).toFixed(1);
    const lines = this.line(column).split("M").slice(1);
    return lines.map((line) => `M${line.split(" ", 1)[0]} ${floor}L${line}V${floor}Z`).join("");
  }

  x(at) {
    return LEFT + ((this.size.width - LEFT) * (at - this.from)) / SPAN_MS;
  }

  y(value) {
    return TOP + (this.size.height - TOP - BOTTOM) * (1 - value / this.top);
  }

  nearest(event) {
    const at = this.from + ((event.clientX - this.picture.getBoundingClientRect().left - LEFT) / (this.size.width - LEFT)) * SPAN_MS;
    let best = -1;
    for (let number = 0; number < this.at.length; number += 1) {
      if (best < 0 || Math.abs(this.at[number] - at) <= Math.abs(this.at[best] - at)) best = number;
    }
    return best;
  }

  step(event) {
    const last = this.at.length - 1;
    const from = this.cursor < 0 ? last + 1 : this.cursor;
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last, Escape: -1 }[event.key];
    if (to === undefined || last < 0) return;
    event.preventDefault();
    this.point(event.key === "Escape" ? -1 : Math.min(last, Math.max(0, to)));
    setAttribute(this.frame, "aria-label", this.words(this.cursor < 0 ? last : this.cursor));
  }

  // Shows the values of one moment, or none.
  point(number) {
    this.cursor = number;
    this.tip.hidden = number < 0;
    setAttribute(this.cross, "d", number < 0 ? "" : `M${this.x(this.at[number])} ${TOP}V${this.size.height - BOTTOM}`);
    if (number < 0) return;
    setText(this.tip, this.words(number, "\n"));
    const x = this.x(this.at[number]);
    this.tip.style.left = x > this.size.width / 2 ? "" : `${x + 8}px`;
    this.tip.style.right = x > this.size.width / 2 ? `${this.size.width - x + 8}px` : "";
  }

  words(number, between = ", ") {
    if (number < 0) return "Nothing yet.";
    return [clock(this.at[number]), ...this.series.map((name, line) => `${name}: ${this.tell(line, number)}`)].join(between);
  }
}

// The next 1, 2, 4 or 8 times a power of ten: a quarter of it is a number to read.
function ceiling(value) {
  if (value <= 0) return 4;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 8, 10].find((step) => step * power >= value) * power;
}
