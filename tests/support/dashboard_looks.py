"""Looks at a made-up lag, for the dashboard's tests."""

from collections.abc import Mapping, Sequence

from ops.lag.looks import Look
from ops.lag.report import LagReport, PartitionLag
from ops.lag.waiting import Money, Waiting
from ops.monitor.lag_metrics import Seen

NO_MONEY = Money({}, 0, 0, is_all=True)


def partition_lag(
    group: str, partition: int, end: int, reached: int, topic: str = "transfers.requested"
) -> PartitionLag:
    """A group that keeps its progress in the database."""
    return PartitionLag(group, topic, partition, 0, end, end, reached, reached)


def seen(
    at_s: float, groups: Mapping[str, Sequence[tuple[int, int]]], ages_s: Mapping[str, float] | None = None
) -> Seen:
    """A look: of each group the end and the next offset of its partitions, and how long the first partition waits."""
    found = [
        partition_lag(group, partition, end, reached)
        for group, partitions in groups.items()
        for partition, (end, reached) in enumerate(partitions)
    ]
    waits = {(group, "transfers.requested", 0): age_s for group, age_s in (ages_s or {}).items()}
    return Seen(Look(LagReport(found), Waiting(waits, NO_MONEY)), at_s)
