// The worker processes, and which partitions each has.

import { byId, el, setText } from "./dom.js";
import { bytes, grouped, ranges, rate, span } from "./numbers.js";

const COLUMNS = ["Worker", "State", "Partitions", "Applied", "Failed", "Dead letters", "Conflicts", "Memory", "Up"];

const AGENTS = ["transfers", "notifications", "audit", "deliveries"]; // as records go

export class Workers {
  look({ now, workers }) {
    const { rows, live, is_away: away } = workers;
    setText(byId("workers-note"), away ? "PostgreSQL does not answer" : `${live} live, ${rows.length - live} silent`);
    const root = byId("worker-rows");
    if (!rows.length) {
      root.replaceChildren(el("p", { class: "muted" }, "No worker has told of itself within the last hour."));
      this.body = null;
      return;
    }
    if (!this.body) {
      this.body = el("tbody");
      root.replaceChildren(el("table", { class: "stacked" },
        el("thead", {}, el("tr", {}, COLUMNS.map((name) => el("th", { scope: "col" }, name)))), this.body));
    }
    while (this.body.children.length > rows.length) this.body.lastChild.remove();
    for (const [number, worker] of rows.entries()) {
      const row = this.body.children[number] ?? this.body.appendChild(el("tr", {}, COLUMNS.map((name) => el("td", { "data-name": name }))));
      for (const [column, text] of cells(worker, now).entries()) setText(row.children[column], text);
      row.children[1].className = worker.is_live ? "good" : "bad";
    }
  }
}

function cells(worker, now) {
  const { figures, per_s: per, assigned } = worker;
  const agents = Object.keys(assigned).sort((a, b) => AGENTS.indexOf(a) - AGENTS.indexOf(b));
  const partitions = agents.map((agent) => `${agent} ${ranges(assigned[agent]) || "none"}`);
  return [
    `${worker.host} · ${worker.pid} · ${worker.version}`,
    worker.is_live ? "● live" : `● silent for ${span(worker.unseen_s)}`,
    partitions.join("; "),
    figure(figures.applied, per.applied),
    figure(figures.failed),
    figure(figures.dead_letters),
    figure(figures.version_conflicts, per.version_conflicts),
    bytes(worker.memory_bytes),
    span((now - Date.parse(worker.started_at)) / 1000),
  ];
}

function figure(count, perSecond) {
  if (count === undefined) return "–";
  return perSecond ? `${grouped(count)} (${rate(perSecond)}/s)` : grouped(count);
}
