"""The worker processes for Prometheus, each metric declared once."""

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ops.monitor.lag_metrics import STALE_S


class Counted(NamedTuple):
    """How many live and how many are silent, and when that was read, in seconds since 1970."""

    live: int
    silent: int
    at_s: float


class WorkerMetrics(Collector):
    """Made anew at each scrape, from what was counted last; nothing once that is half a minute old."""

    def __init__(self, counted: Callable[[], Counted | None]) -> None:
        self._counted = counted

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        counted = self._counted()
        if counted is None or time.time() - counted.at_s > STALE_S:
            return
        workers = GaugeMetricFamily(
            "hfts_workers",
            "Worker processes: live, or silent for 15 s without having said that they would end.",
            labels=["state"],
        )
        workers.add_metric(["live"], counted.live)
        workers.add_metric(["silent"], counted.silent)
        yield workers

    def describe(self) -> Iterable[Metric]:
        """Nothing: there may be none."""
        return []
