"""How topic and ledger compare, for Prometheus, each metric declared once."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ops.monitor.lag_metrics import STALE_S
from ops.monitor.stream_check import Kind


@dataclass(slots=True)
class Compared:
    """What was compared since the start. ``looked_at_s`` and ``checked_upto`` are None before the first look, times
    in seconds since 1970, ``untold_s`` in seconds."""

    outcomes: int = 0
    passed_over: int = 0
    differences: Counter[Kind] = field(default_factory=Counter)
    checked_upto: datetime | None = None
    untold_s: float = 0.0
    looked_at_s: float | None = None


class StreamMetrics(Collector):
    """Made anew at each scrape."""

    def __init__(self, compared: Compared, now_s: Callable[[], float]) -> None:
        self._compared = compared
        self._now_s = now_s

    def collect(self) -> Iterable[Metric]:
        """The metrics; how long outcomes have been due only if that was seen within the last half minute."""
        seen = self._compared
        yield CounterMetricFamily(
            "hfts_stream_ledger_compared", "Outcome records compared with their rows.", seen.outcomes
        )
        yield CounterMetricFamily(
            "hfts_stream_ledger_passed_over", "Offsets of outcomes passed over, where more came in.", seen.passed_over
        )
        differences = CounterMetricFamily(
            "hfts_stream_ledger_differences", "Differences found between outcome records and rows.", labels=["kind"]
        )
        for kind in Kind:
            differences.add_metric([kind], seen.differences[kind])
        yield differences
        if seen.checked_upto is not None:
            yield GaugeMetricFamily(
                "hfts_stream_ledger_checked_timestamp_seconds",
                "Rows committed up to then have been looked for among the outcomes, in seconds since 1970.",
                seen.checked_upto.timestamp(),
            )
        if seen.looked_at_s is not None and self._now_s() - seen.looked_at_s <= STALE_S:
            yield GaugeMetricFamily(
                "hfts_stream_ledger_untold_seconds",
                "For how long the oldest row has been committed whose outcome is still to come; 0 if none is due.",
                seen.untold_s,
            )

    def describe(self) -> Iterable[Metric]:
        """Nothing: the names depend on what was seen."""
        return []
