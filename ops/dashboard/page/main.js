// The page: signs in, follows the server's events, and hands each to the parts that show it.

import { byId, setText } from "./dom.js";
import { Flow } from "./flow.js";
import { Failures } from "./failures.js";
import { Lag } from "./lag.js";
import { Letters } from "./letters.js";
import { span } from "./numbers.js";
import { Overview } from "./overview.js";
import { Reconcile } from "./reconcile.js";
import { mayBeSignedIn, session, signIn, signOut } from "./session.js";
import { follow } from "./stream.js";
import { watchTheme } from "./theme.js";
import { Transfer } from "./transfer.js";
import { Workers } from "./workers.js";

const STATES = { connecting: "connecting …", live: "live", waiting: "reconnecting …", closed: "signed out" };
const STALE_MS = 10_000; // looks at the lag come every two seconds

const letters = new Letters((transferId) => transfer.show(transferId));
const transfer = new Transfer((address) => letters.open(address));
const live = [new Overview(), new Lag(), new Flow(), new Failures(), new Workers(), new Reconcile()];

let stop = null;
let isDenied = false;

function showBoard() {
  byId("sign-in").hidden = true;
  for (const id of ["board", "sections", "sign-out"]) byId(id).hidden = false;
  letters.start();
  transfer.start();
  stop = follow("/ops/events", { onEvent: take, onState: tellState, onRefused: refused });
}

function showSignIn() {
  stop?.();
  stop = null;
  for (const id of ["board", "sections", "sign-out"]) byId(id).hidden = true;
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  byId("sign-in").hidden = false;
  byId("password").value = "";
  tellState("closed");
  byId("email").focus();
}

function take(name, event) {
  for (const part of live) {
    if (name === "start") part.start?.(event);
    part.look(event);
  }
  tellStaleness(event);
}

function tellState(state) {
  byId("link").dataset.state = state;
  setText(byId("link-text"), STATES[state]);
}

function tellStaleness({ now, at }) {
  const banner = byId("stale");
  banner.hidden = at !== null && now - at < STALE_MS;
  if (banner.hidden) return;
  const since = at === null ? "has not been read yet" : `was read ${span((now - at) / 1000)} ago`;
  setText(banner, `The lag ${since}: Kafka or PostgreSQL does not answer the API. What stands below may have changed.`);
}

async function refused(problem) {
  if (problem.status === 403) {
    isDenied = true;
    await signOut();
    setText(byId("sign-in-fault"), "This account may not operate the pipeline. Ask an admin for the role ops.");
  }
}

byId("sign-in-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  isDenied = false;
  const fault = byId("sign-in-fault");
  const button = event.target.querySelector("button");
  setText(fault, "");
  button.disabled = true;
  try {
    await signIn(byId("email").value, byId("password").value);
  } catch (problem) {
    setText(fault, problem.status ? problem.message : "The server does not answer.");
    byId("password").select();
  } finally {
    button.disabled = false;
  }
});

byId("sign-out").addEventListener("click", signOut);

session.addEventListener("in", showBoard);
// A page that has shown something is loaded anew, so that nothing of it stays in memory.
session.addEventListener("out", () => (isDenied ? showSignIn() : location.reload()));

watchTheme(byId("theme"));
if (mayBeSignedIn()) showBoard();
else showSignIn();
