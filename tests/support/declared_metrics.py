"""Every metric that the processes tell Prometheus, found where it is declared."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from types import ModuleType
from typing import NamedTuple

from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import Collector

import ingest_api.metrics
import sinks.metrics
import streams.metrics
from ops.lag.looks import Look
from ops.lag.report import LagReport, PartitionLag
from ops.lag.waiting import Money, Waiting
from ops.monitor.lag_metrics import LagMetrics, Seen
from ops.monitor.last_reconcile import ReconcileMetrics, Run
from ops.monitor.stream_metrics import Compared, StreamMetrics
from ops.monitor.worker_metrics import Counted, WorkerMetrics
from sinks.metrics import POOL_CONNECTIONS
from streams.age_histogram import AgeHistogram

NOW = datetime.now(UTC)


class Row(NamedTuple):
    """A metric as Prometheus knows it; its labels sorted, without a histogram's own."""

    name: str
    kind: str
    labels: list[str]
    sentence: str


def rows_of(collectors: Iterable[Collector]) -> list[Row]:
    """What these collectors tell."""
    rows = []
    for collector in collectors:
        for family in collector.collect():
            labels: Iterable[str] = collector._labelnames if isinstance(collector, MetricWrapperBase) else ()
            labels = labels or {name for sample in family.samples for name in sample.labels} - {"le"}
            name = family.name + ("_total" if family.type == "counter" else "")
            rows.append(Row(name, family.type, sorted(labels), family.documentation))
    return rows


def _declared_in(module: ModuleType) -> list[Collector]:
    return [value for value in vars(module).values() if isinstance(value, (MetricWrapperBase, AgeHistogram))]


def _seen_from_outside() -> list[Collector]:
    partition = PartitionLag("group", "topic", 0, begin=0, end=1, records_end=1, committed=0, applied=0)
    look = Look(LagReport([partition]), Waiting({}, Money({"USD": 1}, 1, 0, is_all=True)))
    return [
        LagMetrics(lambda: Seen(look, time.time()), lambda: 0),
        WorkerMetrics(lambda: Counted(1, 0, time.time())),
        ReconcileMetrics(lambda: Run(1, NOW, NOW, passed=True, report={})),
        StreamMetrics(Compared(checked_upto=NOW, looked_at_s=0.0), lambda: 0.0),
    ]


API = _declared_in(ingest_api.metrics)
OUTSIDE = _seen_from_outside()
WORKERS = [*_declared_in(streams.metrics), *(m for m in _declared_in(sinks.metrics) if m is not POOL_CONNECTIONS)]
BOTH: list[Collector] = [POOL_CONNECTIONS]
