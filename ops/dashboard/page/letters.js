// Dead letters: a list to choose from, and what is done with the chosen ones.

import { confirmDiscard, confirmReopen, confirmReplay } from "./confirm.js";
import { byId, el, toast } from "./dom.js";
import { LetterDialog } from "./letter_dialog.js";
import { moment } from "./numbers.js";
import { ask } from "./session.js";

const STATES = [["open", "open"], ["replayed", "replayed"], ["discarded", "discarded"], ["all", "all"]];
const CAUSES = ["undecodable", "invalid_request", "wrong_key", "transfer_id_reused", "unsigned_request", "invalid_signature", "unprocessable", "unreadable"];
const AGES = [["", "at any time"], ["1h", "within an hour"], ["1d", "within a day"], ["7d", "within a week"]];
const COLUMNS = ["", "Letter", "Written", "Cause", "Transfer", "State", ""];

export class Letters {
  constructor(showTransfer) {
    this.form = byId("letters-filter");
    this.rows = byId("letter-rows");
    this.actions = byId("letters-actions");
    this.chosen = new Map(); // addresses and their states
    this.dialog = new LetterDialog({ act: (what, letters) => this.act(what, letters), showTransfer });
    this.form.append(
      field("State", choice("state", STATES)),
      field("Cause", choice("cause", [["", "any"], ...CAUSES.map((cause) => [cause, cause])])),
      field("Written", choice("within", AGES)),
      field("Partition", el("input", { name: "partition", type: "number", min: 0, max: 2147483647, placeholder: "any" })),
      el("button", { type: "submit" }, "List"),
    );
    this.form.addEventListener("change", () => this.form.requestSubmit());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.load();
    });
    byId("letters-again").addEventListener("click", () => this.load());
  }

  start() {
    this.load();
  }

  // Reads one letter in the dialog.
  open(address) {
    return this.dialog.open(address);
  }

  async load(after = null) {
    const query = new URLSearchParams([...new FormData(this.form)].filter(([, value]) => value !== ""));
    if (after !== null) query.set("starting_after", after);
    const request = (this.request = Symbol("request"));
    this.rows.setAttribute("aria-busy", "true");
    try {
      const page = await ask("GET", `/ops/dead-letters?${query}`);
      if (this.request === request) this.draw(page, after !== null);
    } catch (fault) {
      if (this.request === request) this.rows.replaceChildren(el("p", { class: "fault", role: "alert" }, fault.message));
    } finally {
      this.rows.removeAttribute("aria-busy");
    }
  }

  draw({ data, go_on_after: after }, more) {
    if (!more || !this.body) {
      const found = new Map(data.map(({ address, state }) => [address, state]));
      // Those that are chosen stay so, where they are still to be seen.
      for (const [address, state] of this.chosen) if (found.get(address) !== state) this.chosen.delete(address);
      this.body = el("tbody");
      this.table = el("table", { class: "stacked" },
        el("thead", {}, el("tr", {}, COLUMNS.map((name) => el("th", { scope: "col" }, name || el("span", { class: "unseen" }, "Actions"))))), this.body);
    }
    this.body.append(...data.map((letter) => this.row(letter)));
    const some = this.body.children.length > 0;
    this.rows.replaceChildren(some ? this.table : el("p", { class: "muted" }, after ? "None so far." : "There are no such dead letters."));
    this.drawActions(after);
  }

  row(letter) {
    const tick = el("input", {
      type: "checkbox",
      checked: this.chosen.has(letter.address),
      "aria-label": `Choose letter ${letter.address}`,
      onchange: () => {
        if (tick.checked) this.chosen.set(letter.address, letter.state);
        else this.chosen.delete(letter.address);
        this.drawActions(this.after);
      },
    });
    return el("tr", {},
      el("td", { "data-name": "Choose" }, tick),
      el("td", { "data-name": "Letter" }, el("code", {}, letter.address)),
      el("td", { "data-name": "Written" }, el("time", { datetime: letter.at }, moment(letter.at))),
      el("td", { "data-name": "Cause" }, el("div", {}, el("code", {}, letter.cause), letter.detail ? el("div", { class: "note" }, letter.detail) : null)),
      el("td", { "data-name": "Transfer" }, letter.transfer_id ? el("code", { class: "whole" }, letter.transfer_id) : "–"),
      el("td", { "data-name": "State" }, letter.state),
      el("td", { "data-name": "" }, el("button", { type: "button", class: "small", "aria-label": `Read letter ${letter.address}`, onclick: () => this.open(letter.address) }, "Read")));
  }

  drawActions(after) {
    this.after = after;
    const addresses = [...this.chosen.keys()];
    const all = (state) => addresses.length > 0 && [...this.chosen.values()].every((found) => found === state);
    const count = addresses.length ? `${addresses.length} chosen` : "Choose letters to act on several at once.";
    this.actions.replaceChildren(
      ...(this.body.children.length ? [el("span", { class: "muted" }, count)] : []),
      ...(all("open") ? [
        el("button", { type: "button", onclick: () => this.act("replay", addresses) }, "Replay …"),
        el("button", { type: "button", onclick: () => this.act("discard", addresses) }, "Discard …"),
      ] : []),
      ...(all("discarded") ? [el("button", { type: "button", onclick: () => this.act("reopen", addresses) }, "Open again …")] : []),
      ...(after ? [el("button", { type: "button", class: "push", onclick: () => this.load(after) }, "Show more")] : []),
    );
  }

  // Asks, acts, tells, and reads the list again. Whether it was done.
  async act(what, addresses) {
    const body = await ASKING[what](addresses);
    if (body === null) return false;
    try {
      toast(told(what, await ask("POST", PATHS[what], { addresses, ...body })));
    } catch (fault) {
      toast(fault.message);
      return false;
    }
    this.load();
    return true;
  }
}

const ASKING = { replay: confirmReplay, discard: confirmDiscard, reopen: confirmReopen };
const PATHS = { replay: "/ops/replays", discard: "/ops/discards", reopen: "/ops/reopenings" };
const DONE = { replay: "put back", discard: "discarded", reopen: "open again" };

function told(what, report) {
  const count = report.replayed ?? report.changed;
  const parts = [`${letters(count)} ${DONE[what]}.`];
  for (const [state, left] of Object.entries(report.left)) parts.push(`${letters(left)} left alone: ${state}.`);
  if (report.no_requests) parts.push(`${letters(report.no_requests)} left alone: no request.`);
  if (report.undecided) parts.push(`Of ${letters(report.undecided)} it cannot be told whether an earlier replay has put them back.`);
  return parts.join(" ");
}

function letters(count) {
  return count === 1 ? "1 letter" : `${count} letters`;
}

function choice(name, options) {
  return el("select", { name }, options.map(([value, text]) => el("option", { value }, text)));
}

function field(name, control) {
  return el("label", {}, name, control);
}
