"""The lag in Prometheus's text format."""

import time

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from ops.lag.looks import Look
from ops.lag.report import LagReport, PartitionLag
from ops.lag.waiting import Money, Waiting
from ops.monitor.lag_metrics import STALE_S, LagMetrics, Seen


def look() -> Look:
    """A partition that two groups read; three dollars wait in one request."""
    ledger = PartitionLag("g", "t", 3, begin=0, end=11, records_end=10, committed=8, applied=9)
    other = PartitionLag("h", "t", 3, begin=0, end=11, records_end=10, committed=None, applied=None)
    return Look(LagReport([ledger, other]), Waiting({("g", "t", 3): 1.5}, Money({"USD": 30_000}, 1, 0, is_all=True)))


def told(seen: Seen | None) -> list[str]:
    registry = CollectorRegistry()
    registry.register(LagMetrics(lambda: seen, lambda: 2))
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_the_last_look_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.5)
    assert told(Seen(look(), 1000.0)) == [
        "hfts_lag_read_failures_total 2.0",
        "hfts_lag_read_timestamp_seconds 1000.0",
        'hfts_end_offset{partition="3",topic="t"} 11.0',
        'hfts_applied_offset{partition="3",topic="t"} 9.0',
        'hfts_committed_offset{group="g",partition="3",topic="t"} 8.0',
        'hfts_lag_records{group="g",partition="3",topic="t"} 1.0',
        'hfts_lag_records{group="h",partition="3",topic="t"} 10.0',
        'hfts_lag_oldest_seconds{group="g",partition="3",topic="t"} 1.5',
        'hfts_lag_oldest_seconds{group="h",partition="3",topic="t"} 0.0',
        'hfts_unapplied_amount{currency="USD"} 3.0',
        "hfts_unapplied_requests 1.0",
        "hfts_unapplied_is_all 1.0",
    ]


def test_what_is_no_longer_true_is_not_told() -> None:
    old = told(Seen(look(), time.time() - STALE_S - 1))
    assert [line.partition(" ")[0] for line in old] == [
        "hfts_lag_read_failures_total",
        "hfts_lag_read_timestamp_seconds",
    ]
    assert told(None) == ["hfts_lag_read_failures_total 2.0"]
