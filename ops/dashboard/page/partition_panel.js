// Everything about one partition. Its history is asked for once, then carried on from the events.

import { LineChart } from "./chart.js";
import { byId, code, el, setText } from "./dom.js";
import { duration, grouped } from "./numbers.js";
import { ask } from "./session.js";
import { Timeline, column } from "./timeline.js";

const FACTS = [
  ["Waiting", ({ lag }, place) => grouped(lag[place])],
  ["Oldest waits", ({ waits_s: waits }, place) => (waits[place] === "0" ? "–" : duration(Number(waits[place])))],
  ["Next to work on", ({ next }, place) => next[place]],
  ["Committed", ({ committed }, place) => committed[place] ?? "–"],
  ["End of the topic", ({ end }, place) => end[place]],
];

export class PartitionPanel {
  constructor() {
    this.place = -1;
    this.timeline = new Timeline(1);
    this.values = FACTS.map(() => code(""));
    byId("partition-facts").append(el("dl", { class: "facts" }, FACTS.map(([name], number) => [el("dt", {}, name), el("dd", {}, this.values[number])])));
    this.chart = new LineChart(byId("partition-chart-root"), "Records waiting in this partition", ["waiting"], {
      axis: (value) => Intl.NumberFormat("en", { notation: "compact" }).format(value),
      tell: (_, point) => grouped(this.timeline.columns[0][point]),
    });
  }

  close() {
    this.place = -1;
    byId("partition").hidden = true;
  }

  // `seen` is the group as it is now, `place` that of the partition in it.
  async open(seen, place) {
    const timeline = new Timeline(1);
    Object.assign(this, { place, timeline });
    byId("partition").hidden = false;
    this.draw(seen);
    try {
      const found = await ask("GET", `/ops/lag/${encodeURIComponent(seen.group)}/${seen.partition[place]}`);
      const { at, columns } = timeline; // what has come meanwhile
      timeline.fill(found.at, [column(found.lag)]);
      for (const [number, moment] of at.entries()) timeline.add(moment, [columns[0][number]]);
    } catch {
      // What comes from now on is shown all the same.
    }
    if (this.timeline === timeline) this.show();
  }

  look(seen, at) {
    if (this.place < 0 || this.place >= seen.lag.length) return;
    this.timeline.add(at, [seen.lag[this.place]]);
    this.draw(seen);
  }

  draw(seen) {
    setText(byId("partition-title"), `Partition ${seen.partition[this.place]} of ${seen.topic}`);
    for (const [number, [, value]] of FACTS.entries()) setText(this.values[number], value(seen, this.place));
    this.show();
  }

  show() {
    const [lags] = this.timeline.columns;
    this.chart.show(this.timeline.at, [lags.map((text) => (text === null ? null : Number(text)))]);
  }
}
