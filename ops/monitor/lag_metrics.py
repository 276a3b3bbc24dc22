"""The lag for Prometheus, each metric declared once."""

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ops.lag.looks import Look
from schemas.money import UNITS_PER_ONE

STALE_S = 30.0
"""What was seen longer ago is not told any more: no figure is better than one that no longer holds."""

_PARTITION = ("topic", "partition")
_GROUP_PARTITION = ("group", *_PARTITION)


class Seen(NamedTuple):
    """A look, and when it was taken, in seconds since 1970."""

    look: Look
    at_s: float


class LagMetrics(Collector):
    """Made anew at each scrape, from what was seen last."""

    def __init__(self, seen: Callable[[], Seen | None], failures: Callable[[], int]) -> None:
        self._seen = seen
        self._failures = failures

    def collect(self) -> Iterable[Metric]:
        """The metrics; of the lag itself none, unless it was seen within the last half minute."""
        yield CounterMetricFamily(
            "hfts_lag_read_failures", "Times that Kafka or PostgreSQL did not tell the lag.", self._failures()
        )
        seen = self._seen()
        if seen is None:
            return
        yield GaugeMetricFamily(
            "hfts_lag_read_timestamp_seconds", "When the lag was read last, in seconds since 1970.", seen.at_s
        )
        if time.time() - seen.at_s <= STALE_S:
            yield from _of_partitions(seen.look)
            yield from _of_money(seen.look)

    def describe(self) -> Iterable[Metric]:
        """Nothing: the names depend on what was seen."""
        return []


def _of_partitions(look: Look) -> Iterable[Metric]:
    ends = GaugeMetricFamily(
        "hfts_end_offset", "The offset behind the last record that can be read.", labels=_PARTITION
    )
    applied = GaugeMetricFamily("hfts_applied_offset", "The next request to apply to the ledger.", labels=_PARTITION)
    committed = GaugeMetricFamily(
        "hfts_committed_offset", "The offset that a consumer group has committed.", labels=_GROUP_PARTITION
    )
    records = GaugeMetricFamily("hfts_lag_records", "Records still to work on.", labels=_GROUP_PARTITION)
    oldest = GaugeMetricFamily(
        "hfts_lag_oldest_seconds", "For how long the oldest record has waited; 0 if none does.", labels=_GROUP_PARTITION
    )
    told = set[tuple[str, str]]()
    for found in look.report.partitions:
        where = (found.topic, str(found.partition))
        if where not in told:  # several groups read it
            told.add(where)
            ends.add_metric(where, found.end)
        if found.applied is not None:
            applied.add_metric(where, found.applied)
        if found.committed is not None:
            committed.add_metric((found.group, *where), found.committed)
        records.add_metric((found.group, *where), found.lag)
        age_s = look.waiting.ages_s.get(found.where, 0.0)
        oldest.add_metric((found.group, *where), age_s)
    return ends, applied, committed, records, oldest


def _of_money(look: Look) -> Iterable[Metric]:
    money = look.waiting.money
    amounts = GaugeMetricFamily(
        "hfts_unapplied_amount", "Amounts accepted and not yet applied, by currency.", labels=["currency"]
    )
    for currency, units in money.units.items():
        amounts.add_metric([currency], units / UNITS_PER_ONE)
    yield amounts
    yield GaugeMetricFamily("hfts_unapplied_requests", "Requests that hfts_unapplied_amount adds up.", money.records)
    yield GaugeMetricFamily(
        "hfts_unapplied_is_all", "0 while there are more requests than hfts_unapplied_amount adds up.", money.is_all
    )
