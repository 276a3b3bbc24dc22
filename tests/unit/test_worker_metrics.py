"""The worker processes in Prometheus's text format."""

import time

from prometheus_client import CollectorRegistry, generate_latest

from ops.monitor.lag_metrics import STALE_S
from ops.monitor.worker_metrics import Counted, WorkerMetrics


def told(counted: Counted | None) -> list[str]:
    registry = CollectorRegistry()
    registry.register(WorkerMetrics(lambda: counted))
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_what_was_counted_last_is_told() -> None:
    assert told(Counted(3, 1, time.time())) == [
        'hfts_workers{state="live"} 3.0',
        'hfts_workers{state="silent"} 1.0',
    ]


def test_what_is_no_longer_true_is_not_told() -> None:
    assert told(Counted(3, 1, time.time() - STALE_S - 1)) == []
    assert told(None) == []
