// A map of partitions: one small box each, coloured by how far it is behind. It stays quick with hundreds of them: a box
// is made once, and written to only when its colour changes.

import { el, setAttribute } from "./dom.js";

const DENSE_FROM = 100;

export class HeatMap {
  // `root` is a listbox; onSelect(place) is told of the box that is chosen, describe(place) gives its words.
  constructor(root, onSelect, describe) {
    this.root = root;
    this.onSelect = onSelect;
    this.describe = describe;
    this.cells = [];
    this.levels = [];
    this.selected = -1;
    this.stop = 0; // the one box that Tab comes to
    root.addEventListener("click", (event) => this.select(this.cells.indexOf(event.target), true));
    root.addEventListener("keydown", (event) => this.move(event));
    root.addEventListener("focusin", (event) => this.name(this.cells.indexOf(event.target)));
  }

  // `names` are those of the boxes, `levels` their colours, 0 to 5.
  render(names, levels) {
    if (names.length !== this.cells.length) this.build(names);
    for (let place = 0; place < levels.length; place += 1) {
      if (levels[place] === this.levels[place]) continue;
      this.levels[place] = levels[place];
      this.cells[place].dataset.level = levels[place];
    }
  }

  // None is chosen, or this one.
  select(place, tell = false) {
    if (place >= this.cells.length || (tell && place < 0)) return;
    this.cells[this.selected]?.removeAttribute("aria-selected");
    this.selected = place;
    this.cells[place]?.setAttribute("aria-selected", "true");
    this.stopAt(Math.max(0, place));
    if (tell) {
      this.name(place);
      this.onSelect(place);
    }
  }

  build(names) {
    this.cells = names.map((name) => el("div", { class: "cell", role: "option", tabindex: "-1", "data-level": "0" }, name));
    this.levels = names.map(() => 0);
    this.selected = -1;
    this.stop = 0;
    this.root.toggleAttribute("data-dense", names.length > DENSE_FROM);
    this.root.replaceChildren(...this.cells);
    this.cells[0]?.setAttribute("tabindex", "0");
  }

  name(place) {
    if (place >= 0) setAttribute(this.cells[place], "aria-label", this.describe(place));
  }

  move(event) {
    const place = this.cells.indexOf(event.target);
    if (place < 0) return;
    const row = this.columns();
    const last = this.cells.length - 1;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: row, ArrowUp: -row, Home: -place, End: last - place };
    if (event.key === "Enter" || event.key === " ") this.select(place, true);
    else if (event.key in steps) {
      this.stopAt(Math.min(last, Math.max(0, place + steps[event.key])));
      this.cells[this.stop].focus();
    } else return;
    event.preventDefault();
  }

  stopAt(place) {
    this.cells[this.stop]?.setAttribute("tabindex", "-1");
    this.stop = place;
    this.cells[place]?.setAttribute("tabindex", "0");
  }

  columns() {
    const top = this.cells[0].offsetTop;
    const below = this.cells.findIndex((cell) => cell.offsetTop > top);
    return below < 0 ? this.cells.length : below;
  }
}
