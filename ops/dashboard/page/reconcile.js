// What the last `hfts reconcile` found.

import { byId, el, redraw, setText } from "./dom.js";
import { grouped, moment, span } from "./numbers.js";

const VERDICTS = { holds: ["holds", "good"], pending: ["holds so far", "warn"], broken: ["BROKEN", "bad"] };

export class Reconcile {
  look({ reconcile: run }) {
    const took = run && span((Date.parse(run.finished_at) - Date.parse(run.started_at)) / 1000);
    setText(byId("reconcile-note"), run ? `ended ${moment(run.finished_at)}, took ${took}` : "");
    redraw(byId("reconcile-result"), run, () => (run ? result(run) : none()));
  }
}

function none() {
  return el("p", { class: "muted" }, "None is on record. Run ", el("code", {}, "hfts reconcile"), ", best on a schedule.");
}

function result({ passed, invariants }) {
  const open = invariants.filter(({ verdict }) => verdict !== "holds");
  return [
    el("p", { class: passed ? "good" : "bad" }, el("strong", {}, passed ? "Everything agrees." : "The ledger and the topics do not agree.")),
    ...(open.length ? [table(open)] : []),
    el("details", {}, el("summary", {}, `All ${invariants.length} invariants`), table(invariants)),
  ];
}

function table(invariants) {
  return el("table", { class: "stacked" },
    el("thead", {}, el("tr", {}, head("Invariant"), head("Verdict"), ["Checked", "Pending", "At fault"].map((name) => head(name, "number")))),
    el("tbody", {}, invariants.map(row)));
}

function head(name, kind) {
  return el("th", { scope: "col", class: kind ?? null }, name);
}

function row({ title, verdict, checked, pending, faults, examples }) {
  const [words, tone] = VERDICTS[verdict];
  const shown = examples.map(({ at, problem }) => el("div", { class: "note" }, el("code", {}, at), ` ${problem}`));
  return el("tr", {},
    el("td", { "data-name": "Invariant" }, el("div", {}, title, shown)),
    el("td", { "data-name": "Verdict" }, el("span", { class: `state ${tone}` }, words)),
    el("td", { "data-name": "Checked", class: "number" }, grouped(checked)),
    el("td", { "data-name": "Pending", class: "number" }, pending === "0" ? "" : grouped(pending)),
    el("td", { "data-name": "At fault", class: "number" }, faults === "0" ? "" : grouped(faults)));
}
