// Numbers for people. Offsets, counts and amounts come as decimal text and stay text, so that no digit is lost; only
// rates and durations, which are measured, are rounded.

const MISSING = "–";

// "1234567.5000" as "1,234,567.5000".
export function grouped(text) {
  if (text === null || text === undefined || text === "-") return MISSING;
  const [, sign, whole, rest] = /^(-?)(\d+)(.*)$/.exec(String(text)) ?? [];
  if (whole === undefined) return String(text);
  return sign + whole.replace(/\B(?=(\d{3})+$)/g, ",") + rest;
}

export function rate(perSecond) {
  if (perSecond === null || perSecond === undefined) return MISSING;
  const digits = perSecond !== 0 && perSecond < 10 ? 1 : 0;
  return perSecond.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

// A measured duration, with three digits that count.
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return MISSING;
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${Number((seconds * 1000).toPrecision(3))} ms`;
  if (seconds < 100) return `${Number(seconds.toPrecision(3))} s`;
  return span(seconds);
}

// A time that has passed, in its two largest units.
export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = units.findIndex(([, size]) => whole >= size);
  if (first < 0) return "0 s";
  const [name, size] = units[first];
  const text = `${Math.floor(whole / size)} ${name}`;
  const [nextName, nextSize] = units[first + 1] ?? [];
  const left = nextSize ? Math.floor((whole % size) / nextSize) : 0;
  return left ? `${text} ${left} ${nextName}` : text;
}

export function bytes(text) {
  if (text === null) return MISSING;
  const count = Number(text);
  if (count < 1024) return `${count} B`;
  const power = Math.min(4, Math.floor(Math.log2(count) / 10));
  return `${Number((count / 1024 ** power).toPrecision(3))} ${["B", "KiB", "MiB", "GiB", "TiB"][power]}`;
}

export function share(part, whole) {
  if (!whole) return MISSING;
  const percent = (100 * part) / whole;
  return `${percent > 0 && percent < 0.1 ? "<0.1" : percent.toFixed(1)} %`;
}

// "0 1 2 5" as "0–2, 5".
export function ranges(numbers) {
  const parts = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = parts.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(", ");
}

// Sweden writes times as ISO 8601 does, which everybody reads in the same way.
const CLOCK = new Intl.DateTimeFormat("sv-SE", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("sv-SE", { year: "numeric", month: "2-digit", day: "2-digit" });

export function clock(milliseconds) {
  return CLOCK.format(milliseconds);
}

// A moment of the server's (RFC 3339) in this machine's zone, with as much of the second as it has.
export function moment(text) {
  const at = new Date(text);
  const fraction = /\.(\d+)/.exec(text)?.[1].replace(/0+$/, "") ?? "";
  return `${DAY.format(at)} ${CLOCK.format(at)}${fraction ? `.${fraction}` : ""}`;
}
