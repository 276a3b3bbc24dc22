"""The lag of each group and partition. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """How far a group is in one partition.

    ``committed`` is None where the group has not committed yet; ``applied`` is what PostgreSQL says, and None for
    groups that keep no progress there. ``begin`` and ``end`` bound what the partition holds; ``end`` is the last stable
    offset, before the first record of a transaction that is still open. ``records_end`` is the offset behind the last
    record: transactions leave markers behind it, which take an offset and which nobody works on.
    """

    group: str
    topic: str
    partition: int
    begin: int
    end: int
    records_end: int
    committed: int | None
    applied: int | None

    @property
    def where(self) -> tuple[str, str, int]:
        """Group, topic and partition."""
        return self.group, self.topic, self.partition

    @property
    def reached(self) -> int:
        """The next offset to work on: the database knows it better than the group does."""
        if self.applied is not None:
            return self.applied
        return self.begin if self.committed is None else self.committed

    @property
    def next(self) -> int:
        """The offset to read on from: what retention has removed is gone."""
        return max(self.reached, self.begin)

    @property
    def lag(self) -> int:
        """Offsets up to the last record still to work on; 0 once that is done, whatever markers stand behind it."""
        return max(0, self.records_end - self.next)

    def as_json(self) -> dict[str, object]:
        """One partition as a JSON object."""
        return {
            "group": self.group,
            "topic": self.topic,
            "partition": self.partition,
            "end": self.end,
            "committed": self.committed,
            "applied": self.applied,
            "lag": self.lag,
        }


@dataclass(frozen=True, slots=True)
class LagReport:
    """All groups at one moment."""

    partitions: Sequence[PartitionLag]

    @property
    def groups(self) -> list[str]:
        """The groups, in the order they were read."""
        return list(dict.fromkeys(found.group for found in self.partitions))

    def of_group(self, group: str) -> list[PartitionLag]:
        """One group's partitions in order."""
        return [found for found in self.partitions if found.group == group]

    @property
    def totals(self) -> dict[str, int]:
        """Each group's lag."""
        return {group: sum(found.lag for found in self.of_group(group)) for group in self.groups}

    @property
    def total(self) -> int:
        """All groups' lag."""
        return sum(self.totals.values())
