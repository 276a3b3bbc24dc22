// Being signed in. The access token, which opens everything, is held in memory alone. The refresh token is in
// sessionStorage: a reload finds it, another tab does not, and it goes with the tab. It is good once, and a used one
// that is shown again ends the login, so that a stolen copy is noticed.

const KEY = "hfts.ops.refresh";
const EARLY_MS = 30_000; // a token is renewed so long before it expires

let access = null; // { token, until }
let renewing = null;

export class Problem extends Error {
  constructor(status, document) {
    super(document.detail || `The server answered ${status}.`);
    this.status = status;
    this.code = document.code;
    this.errors = document.errors ?? [];
  }
}

export const session = new EventTarget(); // tells "in" and "out"

export function mayBeSignedIn() {
  return access !== null || sessionStorage.getItem(KEY) !== null;
}

export async function signIn(username, password) {
  keep(await grant({ grant_type: "password", username, password }));
  session.dispatchEvent(new Event("in"));
}

export async function signOut() {
  const refresh = sessionStorage.getItem(KEY);
  if (refresh) {
    const body = new URLSearchParams({ token: refresh });
    await fetch("/v1/auth/revoke", { method: "POST", body }).catch(() => {}); // it expires by itself, too
  }
  forget();
}

// Headers of a request by whoever is signed in. Throws Problem (401) when nobody is any more.
export async function authorization() {
  if (access === null || Date.now() > access.until - EARLY_MS) {
    renewing ??= renew().finally(() => { renewing = null; });
    await renewing;
  }
  return { Authorization: `Bearer ${access.token}` };
}

// Asks the API. Throws Problem for what it refuses, and TypeError where it does not answer.
export async function ask(method, path, body) {
  const headers = await authorization();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
  if (!answer.ok) throw await refusal(answer);
  return answer.json();
}

export async function refusal(answer) {
  const problem = new Problem(answer.status, await answer.json().catch(() => ({})));
  const wait = Number(answer.headers.get("Retry-After"));
  problem.retryMs = wait ? wait * 1000 : 0;
  if (problem.status === 401) forget();
  return problem;
}

async function renew() {
  const refresh = sessionStorage.getItem(KEY);
  if (!refresh) {
    forget();
    throw new Problem(401, { detail: "Sign in." });
  }
  keep(await grant({ grant_type: "refresh_token", refresh_token: refresh }));
}

async function grant(form) {
  const answer = await fetch("/v1/auth/token", { method: "POST", body: new URLSearchParams(form), cache: "no-store" });
  if (!answer.ok) throw await refusal(answer);
  return answer.json();
}

function keep(granted) {
  access = { token: granted.access_token, until: Date.now() + granted.expires_in * 1000 };
  sessionStorage.setItem(KEY, granted.refresh_token);
}

function forget() {
  const was = mayBeSignedIn();
  access = null;
  sessionStorage.removeItem(KEY);
  if (was) session.dispatchEvent(new Event("out"));
}
