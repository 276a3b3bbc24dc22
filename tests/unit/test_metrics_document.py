"""docs/metrics.md names every metric with its kind, its labels and its sentence, and none is declared elsewhere."""

import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest
from prometheus_client import CollectorRegistry
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
from ops.monitor.worker_metrics import Counted, WorkerMetrics
from sinks.metrics import POOL_CONNECTIONS
from streams.age_histogram import AgeHistogram

NOW = datetime.now(UTC)
ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "metrics.md").read_text()
OURS = ("schemas", "sinks", "streams", "ingest_api", "ops")
DECLARATION = re.compile(r"\b\w*(Counter|Gauge|Histogram|Summary|MetricFamily)\(\s*\"hfts_")

Row = tuple[str, str, str, str]


def declared_in(module: ModuleType) -> list[Collector]:
    return [value for value in vars(module).values() if isinstance(value, (MetricWrapperBase, AgeHistogram))]


def seen_from_outside() -> list[Collector]:
    partition = PartitionLag("group", "topic", 0, begin=0, end=1, records_end=1, committed=0, applied=0)
    look = Look(LagReport([partition]), Waiting({}, Money({"USD": 1}, 1, 0, is_all=True)))
    return [
        LagMetrics(lambda: Seen(look, time.time()), lambda: 0),
        WorkerMetrics(lambda: Counted(1, 0, time.time())),
        ReconcileMetrics(lambda: Run(1, NOW, NOW, passed=True, report={})),
    ]


def rows_of(collectors: Iterable[Collector]) -> list[Row]:
    rows = []
    for collector in collectors:
        for family in collector.collect():
            labels: Iterable[str] = collector._labelnames if isinstance(collector, MetricWrapperBase) else ()
            labels = labels or {name for sample in family.samples for name in sample.labels} - {"le"}
            name = family.name + ("_total" if family.type == "counter" else "")
            shown = ", ".join(f"`{label}`" for label in sorted(labels))
            rows.append((name, family.type, shown, family.documentation))
    return rows


SECTIONS: dict[str, list[Collector]] = {
    "The API": declared_in(ingest_api.metrics),
    "The pipeline, told by the API": seen_from_outside(),
    "Workers": [*declared_in(streams.metrics), *(m for m in declared_in(sinks.metrics) if m is not POOL_CONNECTIONS)],
    "Both": [POOL_CONNECTIONS],
}


@pytest.mark.parametrize("title", SECTIONS)
def test_a_table_names_what_is_declared(title: str) -> None:
    section = DOCUMENT.split(f"\n## {title}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(hfts_\w+)` \| (\w+) \| (.*?) ?\| (.*) \|$", section, re.MULTILINE)
    assert rows == rows_of(SECTIONS[title])


def test_every_metric_is_declared_where_it_is_looked_for() -> None:
    where = {
        path.relative_to(ROOT).as_posix()
        for folder in OURS
        for path in (ROOT / folder).rglob("*.py")
        if DECLARATION.search(path.read_text())
    }
    assert where == {
        "ingest_api/metrics.py",
        "sinks/metrics.py",
        "streams/metrics.py",
        "ops/monitor/lag_metrics.py",
        "ops/monitor/last_reconcile.py",
        "ops/monitor/worker_metrics.py",
    }


def test_names_are_unique() -> None:
    registry = CollectorRegistry()
    for collectors in SECTIONS.values():
        for collector in collectors:
            registry.register(collector)
