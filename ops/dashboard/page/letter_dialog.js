// One dead letter: why it was set aside, what to do next, and its bytes.

import { byId, code, el, facts, toast } from "./dom.js";
import { grouped, moment } from "./numbers.js";
import { ask } from "./session.js";

export class LetterDialog {
  // act(what, addresses) asks and acts; showTransfer(id) looks a transfer up.
  constructor({ act, showTransfer }) {
    this.node = byId("letter-dialog");
    this.act = act;
    this.showTransfer = showTransfer;
  }

  async open(address) {
    let letter;
    try {
      letter = await ask("GET", `/ops/dead-letters/${address}`);
    } catch (fault) {
      toast(fault.message);
      return;
    }
    this.draw(letter);
    if (!this.node.open) this.node.showModal();
    this.node.scrollTop = 0;
  }

  draw(letter) {
    this.node.replaceChildren(
      el("h2", { id: "letter-title", tabindex: "-1", autofocus: true }, `Dead letter ${letter.address}`),
      facts(
        ["Written", moment(letter.at)],
        ["State", done(letter)],
        ["Cause", el("span", {}, code(letter.cause), ` ${letter.explanation}`)],
        ["Detail", letter.detail],
        ["Came from", letter.source_topic && `${letter.source_topic}, partition ${letter.source_partition}, offset ${letter.source_offset}`],
        ["Transfer", letter.transfer_id && code(letter.transfer_id)],
        ["Next step", letter.next_step],
      ),
      ...shown("Key", letter.key),
      ...shown("Value", letter.value),
      ...headers(letter),
      this.actions(letter),
    );
  }

  actions(letter) {
    const acting = (what, text, kind) =>
      el("button", { type: "button", class: kind, onclick: async () => {
        if (await this.act(what, [letter.address])) this.node.close();
      } }, text);
    return el("div", { class: "actions" },
      letter.state === "open" && letter.is_replayable ? acting("replay", "Replay …", "first") : null,
      letter.state === "open" || letter.state === "replaying" ? acting("discard", "Discard …", null) : null,
      letter.state === "discarded" ? acting("reopen", "Open again …", null) : null,
      letter.transfer_id ? el("button", { type: "button", onclick: () => {
        this.node.close();
        this.showTransfer(letter.transfer_id);
      } }, "Look up its transfer") : null,
      el("button", { type: "button", class: "push", onclick: () => this.node.close() }, "Close"));
  }
}

function done(letter) {
  const parts = [letter.state];
  if (letter.actor) parts.push(`by ${letter.actor}`);
  if (letter.done_at) parts.push(`at ${moment(letter.done_at)}`);
  if (letter.reason) parts.push(`because: ${letter.reason}`);
  if (letter.request_offset !== null) parts.push(`as request ${letter.request_partition}:${letter.request_offset}`);
  return parts.join(", ");
}

// A heading and the bytes, as text where they are, else in hexadecimal; either can be chosen.
function shown(name, found) {
  if (found === null) return [el("h3", {}, `${name}: none`)];
  const area = el("pre", { class: "bytes", tabindex: "0", role: "region", "aria-label": name });
  const note = el("span", {});
  const draw = (how) => {
    area.classList.toggle("hex", how === "hex");
    area.textContent = how === "hex" ? found.hex.join("\n") : found.text;
    const part = how === "hex" ? found.hex.length * 16 < found.size : found.is_cut;
    note.textContent = `${grouped(String(found.size))} bytes${part ? ", the first of them; hfts dlq show --raw has them all" : ""}`;
  };
  const pick = (how, text) =>
    el("label", {}, el("input", { type: "radio", name: `as-${name}`, checked: (found.text === null) === (how === "hex"), onchange: () => draw(how) }), el("span", {}, text));
  const both = el("fieldset", { class: "switch" }, el("legend", { class: "unseen" }, `Show the ${name.toLowerCase()} as`), found.text === null ? null : pick("text", "Text"), pick("hex", "Hex"));
  draw(found.text === null ? "hex" : "text");
  return [el("div", { class: "head" }, el("h3", { class: "with-note" }, name, note), both), area];
}

function headers({ headers: found, header_count: count }) {
  if (!found.length) return [el("h3", {}, "Headers: none")];
  const rest = count > found.length ? [el("p", { class: "note" }, `The first ${found.length} of ${count}.`)] : [];
  const rows = found.map(({ name, value }) => [code(name), value === null ? "null" : code(value.text ?? value.hex.join("\n"))]);
  return [el("h3", {}, "Headers it came with"), facts(...rows), ...rest];
}
