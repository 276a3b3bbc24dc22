"""docs/metrics.md names every metric with its kind, its labels and its sentence, and none is declared elsewhere."""

import re
from pathlib import Path

import pytest
from declared_metrics import API, BOTH, OUTSIDE, WORKERS, rows_of
from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "metrics.md").read_text()
OURS = ("schemas", "sinks", "streams", "ingest_api", "ops")
DECLARATION = re.compile(r"\b\w*(Counter|Gauge|Histogram|Summary|MetricFamily)\(\s*\"hfts_")

SECTIONS: dict[str, list[Collector]] = {
    "The API": API,
    "The pipeline, told by the API": OUTSIDE,
    "Workers": WORKERS,
    "Both": BOTH,
}


@pytest.mark.parametrize("title", SECTIONS)
def test_a_table_names_what_is_declared(title: str) -> None:
    section = DOCUMENT.split(f"\n## {title}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(hfts_\w+)` \| (\w+) \| (.*?) ?\| (.*) \|$", section, re.MULTILINE)
    assert rows == [
        (row.name, row.kind, ", ".join(f"`{label}`" for label in row.labels), row.sentence)
        for row in rows_of(SECTIONS[title])
    ]


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
        "ops/monitor/stream_metrics.py",
        "ops/monitor/worker_metrics.py",
    }


def test_names_are_unique() -> None:
    registry = CollectorRegistry()
    for collectors in SECTIONS.values():
        for collector in collectors:
            registry.register(collector)
