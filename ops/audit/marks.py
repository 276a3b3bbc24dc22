"""What checkpoints say of one partition, so many of them that memory stays bounded. Pure."""

from typing import NamedTuple

from schemas.checkpoints import Checkpoint

MARKS_MAX = 200_000
"""Of all partitions together; each takes some 300 bytes."""


class Mark(NamedTuple):
    """After ``size`` records, a partition's last hash is ``head`` and its tree has this root, says a checkpoint."""

    size: int
    head: str
    root: str
    checkpoint: str


class Marks:
    """Marks of all partitions, of checkpoints that are added in their order.

    Where there are too many, every other one is dropped, but for the last: its root is over all records before it, so
    that one alone finds whatever was changed. Those between only tell where.
    """

    def __init__(self, marks_max: int = MARKS_MAX) -> None:
        self._marks_max = marks_max
        self._kept: list[list[Mark]] = []
        self._last: list[Mark] = []
        self._kept_marks = 0
        self._stride = 1
        self._added = 0

    def add(self, checkpoint: Checkpoint) -> None:
        """Take what it says of each partition."""
        self._last = [Mark(tree.size, tree.head, tree.root, checkpoint.title) for tree in checkpoint.trees]
        if self._added % self._stride == 0:
            self._kept.append(self._last)
            self._kept_marks += len(self._last)
            if self._kept_marks > self._marks_max:
                del self._kept[1::2]
                self._kept_marks = sum(map(len, self._kept))
                self._stride *= 2
        self._added += 1

    def of(self, partition: int) -> list[Mark]:
        """Those of a partition, one for each size above 0, from the smallest to the largest."""
        by_size: dict[int, Mark] = {}
        for marks in [*self._kept, self._last]:
            if partition < len(marks):
                by_size.setdefault(marks[partition].size, marks[partition])
        return [by_size[size] for size in sorted(by_size) if size > 0]
