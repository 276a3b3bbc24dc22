// Asks before something is done. Each returns what goes with the request, or null when it is not to be done.

import { byId, el } from "./dom.js";

const SHOWN_MAX = 20;

export function confirmReplay(addresses) {
  return confirm({
    title: `Replay ${count(addresses)}?`,
    text: "Each is put back on the topic of requests as it came, exactly once. What was wrong must be mended first: a request that fails again becomes a new letter.",
    addresses,
    button: "Replay",
    kind: "first",
  });
}

export function confirmDiscard(addresses) {
  return confirm({
    title: `Discard ${count(addresses)}?`,
    text: "Marked as discarded, they are no longer open and are not replayed. They stay on their topic, and can be opened again.",
    addresses,
    button: "Discard",
    kind: "grave",
    reason: true,
  });
}

export function confirmReopen(addresses) {
  return confirm({ title: `Open ${count(addresses)} again?`, text: "The discard is taken back.", addresses, button: "Open again", kind: "first" });
}

function confirm({ title, text, addresses, button, kind, reason = false }) {
  const dialog = byId("confirm-dialog");
  const why = el("textarea", { id: "confirm-reason", required: true, maxlength: 500 });
  const more = addresses.length > SHOWN_MAX ? ` and ${addresses.length - SHOWN_MAX} more` : "";
  const form = el("form", {},
    el("h2", { id: "confirm-title" }, title),
    el("p", {}, text),
    el("p", { class: "addresses" }, addresses.slice(0, SHOWN_MAX).join(", ") + more),
    reason ? el("label", { for: "confirm-reason" }, "Why nobody needs them", why) : null,
    el("div", { class: "actions" },
      el("button", { type: "submit", class: kind }, button),
      el("button", { type: "button", onclick: () => dialog.close() }, "Cancel")));
  dialog.replaceChildren(form);
  return new Promise((resolve) => {
    let answer = null;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (reason && !why.value.trim()) {
        why.setCustomValidity("Say why.");
        why.reportValidity();
        why.setCustomValidity("");
        return;
      }
      answer = reason ? { reason: why.value.trim() } : {};
      dialog.close();
    });
    dialog.addEventListener("close", () => resolve(answer), { once: true });
    dialog.showModal();
    (reason ? why : form.querySelector(".actions button:last-child")).focus();
  });
}

function count(addresses) {
  return addresses.length === 1 ? `letter ${addresses[0]}` : `${addresses.length} letters`;
}
