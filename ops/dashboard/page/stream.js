// Server-sent events over fetch: EventSource cannot send the Authorization header, and a token does not belong into an
// address. Reconnects for as long as somebody is signed in.

import { authorization, refusal } from "./session.js";

const SILENT_MS = 15_000; // events come every two seconds, so this is a dead connection
const DELAY_MS_MIN = 500;
const DELAY_MS_MAX = 20_000;

// Calls onEvent(name, data) for each event and onState("connecting", "live", "waiting" or "closed") in between. Returns a
// function that ends it. onRefused(problem) is told when the server will not have this account.
export function follow(path, { onEvent, onState, onRefused }) {
  const ending = new AbortController();
  run(path, ending.signal, { onEvent, onState, onRefused });
  return () => ending.abort();
}

async function run(path, ended, { onEvent, onState, onRefused }) {
  let delay = DELAY_MS_MIN;
  while (!ended.aborted) {
    onState("connecting");
    let wait = 0;
    try {
      await once(path, ended, (name, data) => {
        delay = DELAY_MS_MIN;
        onState("live");
        onEvent(name, data);
      });
    } catch (fault) {
      if (fault.status === 401 || fault.status === 403) {
        onState("closed");
        onRefused(fault);
        return;
      }
      wait = fault.retryMs ?? 0;
    }
    if (ended.aborted) break;
    onState("waiting");
    await pause(Math.max(wait, delay * (0.5 + Math.random())), ended);
    delay = Math.min(delay * 2, DELAY_MS_MAX);
  }
  onState("closed");
}

// One connection, until the server closes it (as it does when the token expires) or it falls silent.
async function once(path, ended, onEvent) {
  const headers = await authorization();
  const silent = new AbortController();
  const signal = AbortSignal.any([ended, silent.signal]);
  let timer = setTimeout(() => silent.abort(), SILENT_MS);
  try {
    const answer = await fetch(path, { headers, signal, cache: "no-store" });
    if (!answer.ok) throw await refusal(answer);
    const take = parser(onEvent);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(), SILENT_MS);
      take(value);
    }
  } finally {
    clearTimeout(timer);
  }
}

// Takes text in any pieces, and tells of each event that is whole (WHATWG HTML, section 9.2.6, as far as we write it).
export function parser(onEvent) {
  let rest = "";
  return (text) => {
    const blocks = (rest + text).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      let name = "message";
      const data = [];
      for (const line of block.split("\n")) {
        if (line.startsWith("event: ")) name = line.slice(7);
        else if (line.startsWith("data: ")) data.push(line.slice(6));
      }
      if (data.length) onEvent(name, JSON.parse(data.join("\n")));
    }
  };
}

function pause(milliseconds, ended) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    ended.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
