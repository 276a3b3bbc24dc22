// Transfers over HTTP with Node 18 or newer, and nothing else. Needs the variables that `hfts env` prints.
//
//   set -a; source <(.venv/bin/hfts env); set +a
//   node examples/node.mjs

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const { API_URL, ADMIN_EMAIL, ADMIN_PASSWORD } = process.env;
const RETRIED = new Set([408, 429, 502, 503, 504]);
const TRIES_MAX = 8;

// Send until there is an answer. Every request here may be sent twice: the key makes the second a repeat of the first.
async function call(method, path, { token, body, form, key, wait } = {}) {
  const headers = { Accept: "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (key) headers["Idempotency-Key"] = key;
  if (wait) headers.Prefer = `wait=${wait}`;
  if (body) headers["Content-Type"] = "application/json";
  const content = form ? new URLSearchParams(form) : body && JSON.stringify(body);
  for (let attempt = 0; ; attempt += 1) {
    let failure;
    let delay_s = Math.min(0.25 * 2 ** attempt, 8) * (0.5 + Math.random() / 2);
    try {
      const answer = await fetch(API_URL + path, { method, headers, body: content, signal: AbortSignal.timeout(60_000) });
      const text = await answer.text();
      if (answer.ok) return text && JSON.parse(text);
      failure = new Error(`${method} ${path.split("?")[0]}: ${answer.status} ${text}`);
      if (!RETRIED.has(answer.status)) throw Object.assign(failure, { isFinal: true });
      delay_s = Math.max(delay_s, Number(answer.headers.get("Retry-After") ?? 0));
    } catch (error) {
      if (error.isFinal) throw error;
      failure ??= error; // no connection, or no answer in time
    }
    if (attempt + 1 >= TRIES_MAX) throw failure;
    await sleep(1_000 * delay_s);
  }
}

async function logIn(username, password) {
  return (await call("POST", "/v1/auth/token", { form: { username, password } })).access_token;
}

// An account with a wallet in euros.
async function open(name) {
  const email = `${name}-${randomUUID()}@example.com`;
  const password = randomUUID();
  await call("POST", "/v1/users", { body: { email, password } });
  const token = await logIn(email, password);
  const wallet = await call("POST", "/v1/wallets", { token, body: { currency: "EUR" } });
  return { token, wallet: wallet.wallet_id };
}

// What became of a transfer or deposit. The answer to it is that already, or a receipt, whose location is followed.
async function outcome(path, body, token) {
  let found = await call("POST", path, { token, body, key: randomUUID(), wait: 10 });
  const location = found.location;
  while (found.status === "PENDING") {
    await sleep(200);
    found = await call("GET", location, { token, wait: 10 });
  }
  return found;
}

const [ada, bob] = [await open("ada"), await open("bob")];
const admin = await logIn(ADMIN_EMAIL, ADMIN_PASSWORD);

const money = { wallet_id: ada.wallet, amount: "100.00", currency: "EUR" };
console.log((await outcome("/v1/deposits", money, admin)).status);

// Amounts are decimal texts: numbers of JavaScript are floats.
const payment = { source_wallet_id: ada.wallet, destination_wallet_id: bob.wallet, amount: "12.50", currency: "EUR" };
const paid = await outcome("/v1/transfers", { ...payment, reference: "lunch" }, ada.token);
console.log(paid.status, paid.amount, "left:", paid.source_balance);

const refused = await outcome("/v1/transfers", { ...payment, amount: "1000.00" }, ada.token);
console.log(refused.status, refused.reason);
