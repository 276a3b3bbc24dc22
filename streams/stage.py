"""What an agent does with the record batches of one topic, apart from how Faust hands them over."""

from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from sinks.kafka.records import Consumed

P = TypeVar("P")


class Stage(Protocol):
    """One step of the pipeline: reads a topic, and is exact across crashes by itself."""

    input_topic: str

    async def start(self) -> None:
        """Connect to what the stage writes to."""

    async def stop(self) -> None:
        """Disconnect."""

    async def resume_offset(self, partition: int) -> int | None:
        """Where to read on in a partition just assigned; None to go by the committed offset."""

    def forget(self, partitions: Iterable[int]) -> None:
        """Drop what is known of partitions that are no longer ours."""

    async def process(self, partition: int, records: Sequence[Consumed]) -> None:
        """Do all that follows from the records, in order; return once it is durable."""


class Positions(Generic[P]):
    """How far each of our partitions has come, kept from its assignment until it is revoked."""

    def __init__(self) -> None:
        self._by_partition: dict[int, P] = {}

    def get(self, partition: int) -> P | None:
        """The position kept for a partition, if any."""
        return self._by_partition.get(partition)

    def keep(self, partition: int, position: P) -> P:
        """Keep a partition's position and return it."""
        self._by_partition[partition] = position
        return position

    def forget(self, partitions: Iterable[int]) -> None:
        """Drop the positions of these partitions."""
        for partition in partitions:
            self._by_partition.pop(partition, None)
