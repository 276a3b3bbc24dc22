"""What an agent does with the record batches of one topic, apart from how Faust hands them over."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
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

    async def resume_offsets(self, partitions: Iterable[int]) -> Mapping[int, int]:
        """Where to read on in partitions just assigned; those left out go by the committed offset."""

    def forget(self, partitions: Iterable[int]) -> None:
        """Drop what is known of partitions that are no longer ours."""

    async def process(self, partition: int, records: Sequence[Consumed]) -> None:
        """Do all that follows from the records, in order; return once it is durable."""


class Positions(Generic[P]):
    """How far each of our partitions has come, kept from its assignment until it is revoked."""

    def __init__(self, load: Callable[[list[int]], Awaitable[Mapping[int, P]]]) -> None:
        self._load = load
        self._by_partition: dict[int, P] = {}

    async def of(self, partitions: Iterable[int]) -> Mapping[int, P]:
        """The positions of these partitions, loaded all at once where they are not known."""
        asked = list(partitions)
        missing = [partition for partition in asked if partition not in self._by_partition]
        if missing:
            self._by_partition.update(await self._load(missing))
        return {partition: self._by_partition[partition] for partition in asked}

    async def get(self, partition: int) -> P:
        """One partition's position."""
        known = self._by_partition.get(partition)
        return known if known is not None else (await self.of([partition]))[partition]

    def keep(self, partition: int, position: P) -> None:
        """Note how far a partition has come."""
        self._by_partition[partition] = position

    def forget(self, partitions: Iterable[int]) -> None:
        """Drop the positions of these partitions."""
        for partition in partitions:
            self._by_partition.pop(partition, None)
