// What comes in and goes out each second, and how long transfers take.

import { LineChart } from "./chart.js";
import { byId, setText } from "./dom.js";
import { duration, rate } from "./numbers.js";
import { Timeline } from "./timeline.js";

const PERCENTILES = ["p50", "p95", "p99"];

export class Flow {
  constructor() {
    this.rates = new Timeline(2);
    this.latencies = new Timeline(3);
    this.rateChart = new LineChart(byId("rate-chart"), "Requests a second", ["in", "applied"], {
      axis: (value) => Intl.NumberFormat("en", { notation: "compact" }).format(value),
      tell: (line, point) => `${rate(this.rates.columns[line][point])}/s`,
    });
    this.latencyChart = new LineChart(byId("latency-chart"), "Latency", PERCENTILES, {
      axis: (value) => (value ? duration(value) : "0"),
      tell: (line, point) => duration(this.latencies.columns[line][point]),
    });
  }

  start({ groups, history, latencies }) {
    const transfers = history.groups[groups[0]?.group];
    if (transfers) this.rates.fill(history.at, [transfers.per_s_in, transfers.per_s_out]);
    this.latencies.fill(latencies.at, PERCENTILES.map((_, line) => latencies.s.map((found) => found?.[line] ?? null)));
  }

  look({ now, at, groups, outcomes }) {
    const transfers = groups[0];
    if (transfers) this.rates.add(at, [transfers.per_s_in, transfers.per_s_out]);
    this.latencies.add(now, PERCENTILES.map((_, line) => outcomes.latency_s?.[line] ?? null));
    this.rateChart.show(this.rates.at, this.rates.columns);
    this.latencyChart.show(this.latencies.at, this.latencies.columns);
    setText(byId("rates-note"), "requests, and those applied to the ledger, over 10 s");
    setText(byId("latency-note"), "from the request's own time to its completion, over a minute");
  }
}
