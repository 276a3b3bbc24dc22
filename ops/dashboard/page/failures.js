// Why transfers failed, and which wallets take part in most of them.

import { byId, code, el, redraw, setText } from "./dom.js";
import { clock, grouped, rate, share } from "./numbers.js";

export class Failures {
  look({ outcomes, workers }) {
    const note = sampleNote(outcomes);
    for (const node of document.querySelectorAll(".sample")) setText(node, note);
    redraw(byId("reasons"), [outcomes.failed, outcomes.read], () => reasons(outcomes));
    redraw(byId("wallets"), [outcomes.wallets, outcomes.read], () => hottest(outcomes));
    const conflicts = workers.conflicts_per_s;
    setText(byId("conflicts"), conflicts === null ? "No worker has told of them." : `${rate(conflicts)} a second, over all workers. Each rolls a batch back, which is then decided again.`);
  }
}

function sampleNote({ state, since, window_s: window, read, passed_over: passed }) {
  if (state === "away") return "Kafka does not answer";
  if (!since) return "reading …";
  const minutes = `last ${window / 60} minutes, read since ${clock(since)}`;
  return passed === "0" ? minutes : `${minutes}; a sample of ${share(Number(read), Number(read) + Number(passed))}`;
}

function reasons({ failed, read }) {
  if (!failed.length) return el("p", { class: "muted" }, Number(read) ? `None of ${grouped(read)} outcomes failed.` : "No outcome was read.");
  const most = Number(failed[0][1]);
  return el("ul", { class: "bars" }, failed.map(([reason, count]) =>
    el("li", {},
      el("code", {}, reason),
      el("span", {}, `${grouped(count)} · ${share(Number(count), Number(read))}`),
      el("progress", { max: most, value: Number(count), "aria-hidden": "true" }))));
}

function hottest({ wallets, read }) {
  if (!wallets.length) return el("p", { class: "muted" }, "No outcome was read.");
  const number = (text) => el("td", { class: "number" }, text);
  return el("table", {},
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Wallet"), ["Sent", "Received", "Of all"].map((name) => el("th", { scope: "col", class: "number" }, name)))),
    el("tbody", {}, wallets.map(({ wallet_id: id, sent, received }) =>
      el("tr", {},
        el("td", {}, code(id)),
        number(grouped(sent)),
        number(grouped(received)),
        number(share(Number(sent) + Number(received), Number(read)))))));
}
