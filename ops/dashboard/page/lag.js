// The lag: by group and partition, with history, and everything about a partition when it is asked for.

import { LineChart } from "./chart.js";
import { byId, el, setText } from "./dom.js";
import { HeatMap } from "./heatmap.js";
import { duration, grouped } from "./numbers.js";
import { PartitionPanel } from "./partition_panel.js";
import { Timeline, column } from "./timeline.js";

const LEGENDS = {
  lag: ["none", "1 and more", "10", "100", "1,000", "10,000"],
  waits_s: ["none", "below 1 s", "1 s", "5 s", "30 s", "2 min"],
};
const WORST_MAX = 5;

export class Lag {
  constructor() {
    this.groups = new Map(); // by name: what was seen last, and its timeline
    this.current = null;
    this.heat = new HeatMap(byId("heat"), (place) => this.selectPartition(place), (place) => this.describe(place));
    this.chart = new LineChart(byId("lag-chart"), "Records waiting in all partitions", ["waiting"], {
      axis: (value) => Intl.NumberFormat("en", { notation: "compact" }).format(value),
      tell: (_, point) => grouped(this.history?.columns[0][point]),
    });
    this.panel = new PartitionPanel();
    for (const radio of document.querySelectorAll("input[name=colour-by]")) radio.addEventListener("change", () => this.draw());
    byId("groups").addEventListener("keydown", (event) => this.moveTab(event));
  }

  get history() {
    return this.groups.get(this.current)?.history;
  }

  get seen() {
    return this.groups.get(this.current)?.seen;
  }

  start({ history }) {
    for (const [name, found] of Object.entries(history.groups)) this.group(name).history.fill(history.at, [column(found.lag)]);
  }

  look({ at, groups }) {
    for (const found of groups) {
      const group = this.group(found.group);
      group.seen = { ...found, ...Object.fromEntries(COLUMNS.map((name) => [name, column(found[name])])) };
      group.history.add(at, [found.total]);
      setText(group.count, grouped(found.total));
      group.count.classList.toggle("behind", found.total !== "0");
    }
    if (this.current === null && groups.length) this.selectGroup(groups[0].group);
    else this.draw();
    if (this.seen) this.panel.look(this.seen, at);
  }

  group(name) {
    if (!this.groups.has(name)) {
      const count = el("span", { class: "count" });
      const tab = el(
        "button",
        { type: "button", role: "tab", "aria-selected": "false", "aria-controls": "group-panel", tabindex: "-1", onclick: () => this.selectGroup(name) },
        name,
        count,
      );
      byId("groups").append(tab);
      this.groups.set(name, { tab, count, seen: null, history: new Timeline(1) });
    }
    return this.groups.get(name);
  }

  selectGroup(name) {
    this.current = name;
    byId("group-panel").setAttribute("aria-label", name);
    for (const [other, { tab }] of this.groups) {
      tab.setAttribute("aria-selected", String(other === name));
      tab.setAttribute("tabindex", other === name ? "0" : "-1");
    }
    this.heat.select(-1);
    this.panel.close();
    this.draw();
  }

  moveTab(event) {
    const names = [...this.groups.keys()];
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const name = names[(names.indexOf(this.current) + step + names.length) % names.length];
    this.selectGroup(name);
    this.groups.get(name).tab.focus();
  }

  selectPartition(place) {
    this.panel.open(this.seen, place);
  }

  draw() {
    const { seen } = this;
    if (!seen) return;
    const by = document.querySelector("input[name=colour-by]:checked").value;
    this.heat.render(seen.partition, seen[by].map(by === "lag" ? levelOfLag : levelOfWait));
    setText(byId("partition-count"), `${seen.partition.length} of ${seen.topic}`);
    drawLegend(by);
    this.drawWorst();
    this.chart.show(this.history.at, [this.history.columns[0].map((text) => (text === null ? null : Number(text)))]);
  }

  drawWorst() {
    const { lag, partition, waits_s: waits } = this.seen;
    const behind = lag.map((_, place) => place).filter((place) => lag[place] !== "0");
    behind.sort((a, b) => Number(lag[b]) - Number(lag[a]));
    const rows = behind.slice(0, WORST_MAX);
    const root = byId("worst");
    while (root.children.length > rows.length) root.lastChild.remove();
    for (const [number, place] of rows.entries()) {
      const row = root.children[number] ?? root.appendChild(worstRow((chosen) => this.choose(chosen)));
      const button = row.firstChild;
      button.dataset.place = place;
      setText(button.children[0], `p ${partition[place]}`);
      setText(button.children[1], `${grouped(lag[place])} records`);
      setText(button.children[2], waits[place] === "0" ? "" : `waits ${duration(Number(waits[place]))}`);
    }
    setText(byId("worst-none"), rows.length ? "" : "No partition is behind.");
  }

  choose(place) {
    this.heat.select(place, true);
    byId("partition").scrollIntoView({ block: "nearest" });
  }

  describe(place) {
    const { partition, lag, waits_s: waits } = this.seen;
    const waiting = waits[place] === "0" ? "" : `, the oldest for ${duration(Number(waits[place]))}`;
    return `Partition ${partition[place]}: ${grouped(lag[place])} records wait${waiting}`;
  }
}

const COLUMNS = ["partition", "lag", "end", "next", "committed", "waits_s"];

// The number of digits: lengths do, whatever the size.
function levelOfLag(lag) {
  return lag === "0" ? 0 : Math.min(5, lag.length);
}

function levelOfWait(text) {
  const seconds = Number(text);
  return seconds === 0 ? 0 : 1 + [1, 5, 30, 120].filter((limit) => seconds >= limit).length;
}

function drawLegend(by) {
  const root = byId("heat-legend");
  if (root.dataset.by === by) return;
  root.dataset.by = by;
  root.replaceChildren(
    ...LEGENDS[by].map((words, level) => el("li", {}, el("span", { class: "cell", "data-level": level, "aria-hidden": "true" }), words)),
  );
}

function worstRow(choose) {
  const button = el("button", { type: "button", onclick: () => choose(Number(button.dataset.place)) }, el("b"), el("span"), el("span", { class: "waits" }));
  return el("li", {}, button);
}
