// The whole way of one transfer, step by step.

import { byId, code, el, facts, toast } from "./dom.js";
import { duration, grouped, moment } from "./numbers.js";
import { ask } from "./session.js";

const HASH = "#transfer/";

export class Transfer {
  // openLetter(address) reads a dead letter.
  constructor(openLetter) {
    this.openLetter = openLetter;
    this.result = byId("transfer-result");
    byId("transfer-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.show(byId("transfer-id").value.trim().toLowerCase());
    });
  }

  // An address that ends in #transfer/ID shows that transfer at once.
  start() {
    if (location.hash.startsWith(HASH)) this.show(location.hash.slice(HASH.length));
  }

  async show(id) {
    byId("transfer-id").value = id;
    this.result.setAttribute("aria-busy", "true");
    try {
      const path = await ask("GET", `/ops/transfers/${encodeURIComponent(id)}`);
      history.replaceState(null, "", HASH + id);
      this.result.replaceChildren(steps(path));
    } catch (fault) {
      this.result.replaceChildren(el("p", { class: "fault", role: "alert" }, fault.message));
      if (fault.status === 404) await this.searchLetters(id);
    } finally {
      this.result.removeAttribute("aria-busy");
    }
    byId("transfer").scrollIntoView();
  }

  // What was never applied may have been set aside.
  async searchLetters(id) {
    try {
      const { data, go_on_after: more } = await ask("GET", `/ops/dead-letters?state=all&transfer_id=${encodeURIComponent(id)}`);
      const open = (address) => el("button", { type: "button", onclick: () => this.openLetter(address) }, `Read dead letter ${address}`);
      this.result.replaceChildren(
        el("p", {}, data.length
          ? "It has not been applied. Its request is among the dead letters:"
          : `It has not been applied, and is not among the ${more ? "first " : ""}dead letters. Its request may wait still, or was never sent.`),
        el("div", { class: "actions" }, data.map(({ address }) => open(address))),
      );
    } catch (fault) {
      toast(fault.message);
    }
  }
}

function steps({ request, row, outcome, notifications, audit }) {
  const failed = row.status === "FAILED";
  const told = notifications.map((message) => [
    message.recipient ?? "?",
    el("span", {}, placeOf(message), `; ${message.is_handed_out ? "handed out" : "not handed out yet"}`),
  ]);
  return el("ol", { class: "steps" },
    step("Request", request, request.at ? "done" : "missing", [
      ["Taken by the broker", request.at ? moment(request.at) : "no longer on the topic"],
      ["Requested", moment(row.requested_at)],
    ]),
    step("Ledger row", null, "done", [
      ["Result", el("strong", { class: failed ? "bad" : "good" }, failed ? `FAILED: ${row.reason}` : "COMPLETED")],
      ["Kind", row.kind],
      ["Draws on", row.parent_id && code(row.parent_id)],
      ["Ends", row.expires_at && moment(row.expires_at)],
      ["Amount", `${grouped(row.amount)} ${row.currency}`],
      ["From", wallet(row.source_wallet_id, row.source_balance, row.source_version)],
      ["To", wallet(row.destination_wallet_id, row.destination_balance, row.destination_version)],
      ["Completed", `${moment(row.completed_at)}${since(request.at, row.completed_at)}`],
      ["Reference", row.reference],
      ["Metadata", row.metadata && code(JSON.stringify(row.metadata))],
    ]),
    step("Outcome", outcome, outcome ? sound(outcome.is_row) : "missing", outcome ? [
      ["Published", `${moment(outcome.at)}${since(row.completed_at, outcome.at)}`],
      ["Content", outcome.is_row ? "says what the row says" : el("strong", { class: "bad" }, "is not what the row says")],
    ] : [["", "not published yet"]]),
    step("Notifications", null, notifications.length ? "done" : "missing", told.length ? told : [["", "none yet, or nobody to tell"]]),
    step("Audit record", audit, audit ? sound(audit.is_row && audit.hash_holds) : "missing", audit ? [
      ["Written", `${moment(audit.at)}${since(row.completed_at, audit.at)}`],
      ["Sequence", audit.sequence && grouped(audit.sequence)],
      ["Hash", audit.hash && code(audit.hash)],
      ["Hash before", audit.prev_hash && code(audit.prev_hash)],
      ["Check", audit.hash_holds ? "the hash fits the record" : el("strong", { class: "bad" }, "the hash does not fit the record")],
      ["Content", audit.is_row ? "says what the row says" : el("strong", { class: "bad" }, "is not what the row says")],
    ] : [["", "not written yet"]]));
}

function sound(is) {
  return is ? "done" : "wrong";
}

function step(name, place, state, pairs) {
  return el("li", { class: "step", "data-state": state }, el("h3", {}, name), place ? el("div", { class: "place" }, placeOf(place)) : null, facts(...pairs));
}

function placeOf({ topic, partition, offset }) {
  return el("span", {}, `${topic}, partition ${partition}, offset `, code(offset));
}

function wallet(id, balance, version) {
  const after = balance === null ? "" : `: ${grouped(balance)} after it, version ${grouped(version)}`;
  return el("span", {}, code(id), after);
}

function since(before, after) {
  if (!before) return "";
  const seconds = (Date.parse(after) - Date.parse(before)) / 1000;
  return seconds > 0 ? ` (${duration(seconds)} later)` : "";
}
