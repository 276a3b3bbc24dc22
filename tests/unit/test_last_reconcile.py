"""The last reconciliation, as Prometheus gets it."""

from datetime import UTC, datetime

from prometheus_client import CollectorRegistry

from ops.monitor.last_reconcile import ReconcileMetrics, Run

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def told(run: Run | None) -> tuple[float | None, float | None]:
    registry = CollectorRegistry()
    registry.register(ReconcileMetrics(lambda: run))
    return (
        registry.get_sample_value("hfts_reconcile_passed"),
        registry.get_sample_value("hfts_reconcile_timestamp_seconds"),
    )


def test_the_verdict_and_its_time_are_told() -> None:
    assert told(Run(1, AT, AT, passed=True, report={})) == (1, AT.timestamp())
    assert told(Run(2, AT, AT, passed=False, report={})) == (0, AT.timestamp())


def test_before_the_first_there_is_nothing_to_tell() -> None:
    assert told(None) == (None, None)
