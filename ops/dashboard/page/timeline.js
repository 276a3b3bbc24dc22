// Columns of values beside their times, of the last quarter of an hour at most.

const SPAN_MS = 15 * 60 * 1000;

export class Timeline {
  constructor(width) {
    this.at = [];
    this.columns = Array.from({ length: width }, () => []);
  }

  // Begins anew with these.
  fill(at, columns) {
    this.at = [...at];
    this.columns = columns.map((column) => [...column]);
  }

  // Adds a moment, unless it is there already.
  add(at, values) {
    if (at === null || at <= (this.at.at(-1) ?? -Infinity)) return;
    this.at.push(at);
    for (const [number, column] of this.columns.entries()) column.push(values[number]);
    while (this.at[0] < at - SPAN_MS) {
      this.at.shift();
      for (const column of this.columns) column.shift();
    }
  }
}

// "0 12 -" as ["0", "12", null].
export function column(text) {
  return text === "" ? [] : text.split(" ").map((part) => (part === "-" ? null : part));
}
