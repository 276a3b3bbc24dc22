// The tiles on top: whether all is well, at a glance.

import { byId, el, setAttribute, setText } from "./dom.js";
import { duration, grouped, rate, share, span } from "./numbers.js";

const TILES = [
  ["waiting", "Waiting to be applied"],
  ["in", "Requests in, per second"],
  ["out", "Applied, per second"],
  ["latency", "Latency p50 · p99"],
  ["failed", "Failed, last 5 minutes"],
  ["workers", "Workers"],
  ["reconcile", "Last reconcile"],
  ["money", "Accepted, not yet applied"],
];

const LONG = 16;

export class Overview {
  constructor() {
    this.tiles = new Map(TILES.map(([key, name]) => [key, tile(key, name)]));
    byId("tiles").append(...[...this.tiles.values()].map(({ node }) => node));
  }

  look({ now, groups, money, outcomes, workers, reconcile }) {
    const transfers = groups[0];
    const age = transfers?.oldest_s;
    this.set("waiting", grouped(transfers?.total), age ? `oldest waits ${duration(age)}` : "nothing waits", tone(age));
    this.set("in", rate(transfers?.per_s_in), "mean of 10 s");
    this.set("out", rate(transfers?.per_s_out), "mean of 10 s");
    const latency = outcomes.latency_s;
    this.set(
      "latency",
      latency ? `${duration(latency[0])} · ${duration(latency[2])}` : "–",
      latency ? `${grouped(outcomes.latency_count)} in the last minute` : quiet(outcomes.state),
    );
    const failed = outcomes.failed.reduce((sum, [, count]) => sum + Number(count), 0);
    this.set("failed", share(failed, Number(outcomes.read)), `of ${grouped(outcomes.read)} outcomes`);
    this.set("workers", `${workers.live} live`, workersNote(workers), workers.live ? "" : "bad");
    this.set("reconcile", ...reconciled(reconcile, now));
    this.set("money", ...unapplied(money));
  }

  set(key, value, more, state = "") {
    const { valueNode, moreNode } = this.tiles.get(key);
    setText(valueNode, value);
    setText(moreNode, more);
    setAttribute(valueNode, "class", `value ${state} ${value.length > LONG ? "long" : ""}`);
  }
}

function tile(key, name) {
  const valueNode = el("span", { class: "value" }, "–");
  const moreNode = el("span", { class: "more" });
  const node = el("div", { class: "tile", "data-key": key }, el("span", { class: "name" }, name), valueNode, moreNode);
  return { node, valueNode, moreNode };
}

function tone(age) {
  if (!age || age < 5) return "";
  return age < 60 ? "warn" : "bad";
}

function quiet(state) {
  return state === "away" ? "Kafka does not answer" : "no outcome in the last minute";
}

function workersNote({ rows, live, is_away: away }) {
  if (away) return "PostgreSQL does not answer";
  if (!rows.length) return "none has told of itself";
  return rows.length === live ? "all heard of late" : `${rows.length - live} silent`;
}

function reconciled(run, now) {
  if (!run) return ["–", "none on record"];
  const ago = `${span((now - Date.parse(run.finished_at)) / 1000)} ago`;
  return run.passed ? ["passed", ago, "good"] : ["FAILED", ago, "bad"];
}

function unapplied(money) {
  if (!money) return ["–", ""];
  const amounts = Object.entries(money.amounts).map(([currency, amount]) => `${grouped(amount)} ${currency}`);
  const least = money.is_all ? "" : "at least ";
  const more = `${grouped(money.records)} requests`;
  return amounts.length ? [least + amounts.join(" · "), more] : ["0", more];
}
