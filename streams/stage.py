"""What an agent does with the record batches of one topic, apart from how Faust hands them over."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Generic, Protocol, TypeAlias, TypeVar

import msgspec

from schemas.crash_points import CrashPoint
from sinks.crash import reach
from sinks.errors import ShorterTopicError
from sinks.kafka.publisher import Publisher
from sinks.kafka.records import Consumed, Record

P = TypeVar("P")


class Output(msgspec.Struct):
    """Records for one partition of a topic, in groups that stand or fall together."""

    topic: str
    partition: int
    groups: Iterable[tuple[Record, ...]]
    published: Callable[[], None] | None = None
    """Called once they are durable."""


Outputs = Sequence[Sequence[Output]]
"""What is to be published: the outputs of a phase all at once, one phase after another. A phase has one topic."""

Commit: TypeAlias = Callable[[], Awaitable[Outputs]]
"""The second half of a stage's work: makes it durable, and returns what to publish then."""


class Stage(Protocol):
    """One step of the pipeline: reads a topic, and is exact across crashes by itself."""

    agent: str
    """What it is called among the metrics, and as a choice of ``hfts worker``."""

    input_topic: str

    async def start(self) -> None:
        """Connect to what the stage needs beside Kafka."""

    async def stop(self) -> None:
        """Disconnect."""

    async def resume_offsets(self, partitions: Iterable[int]) -> Mapping[int, int]:
        """Where to read on in partitions just assigned; those left out go by the committed offset."""

    def forget(self, partitions: Iterable[int]) -> None:
        """Drop what is known of partitions that are no longer ours."""

    async def prepare(self, batches: Mapping[int, Sequence[Consumed]]) -> Commit:
        """Find out what the records ask for, of each partition in order.

        The next call may come before this one's half is committed and its outputs are published, but never after one
        for which that failed: then the process ends. Commits follow one another in the order of their preparation.
        """


def publish_only(outputs: Sequence[Output]) -> Commit:
    """The second half of a stage that makes nothing durable but what it publishes."""

    async def commit() -> Outputs:
        return [outputs]

    return commit


async def refuse_shorter(publisher: Publisher, topic: str, worked_on: Mapping[int, int]) -> None:
    """Raises ShorterTopicError where a partition of an input topic ends before the offset it has been worked on up to.

    It is not the topic that it was. What comes in there would be taken for worked on, and passed over.
    """
    if not worked_on:
        return
    ends = await publisher.end_offsets(topic, worked_on)
    missing = {p: offset for p, offset in worked_on.items() if offset > ends[p]}
    if missing:
        where = ", ".join(f"{p} ends at {ends[p]}, not at {offset}" for p, offset in sorted(missing.items())[:3])
        raise ShorterTopicError(
            f"{topic} is shorter than what has been worked on of it: partition {where}. It has lost records, or is "
            "another topic of this name. Run hfts recover"
        )


class Positions(Generic[P]):
    """How far each of our partitions has come, kept from its assignment until it is revoked."""

    def __init__(self, load: Callable[[list[int]], Awaitable[Mapping[int, P]]]) -> None:
        self._load = load
        self._by_partition: dict[int, P] = {}
        self._loading = asyncio.Lock()
        self._times_forgotten = 0

    async def loaded(self, partitions: Iterable[int]) -> Mapping[int, P]:
        """The positions of partitions just assigned, loaded all at once where they are not kept."""
        asked = list(partitions)
        async with self._loading:  # Faust may ask twice at once, and loading would fence itself
            missing = [partition for partition in asked if partition not in self._by_partition]
            if not missing:
                return self.of(asked)
            times_forgotten = self._times_forgotten
            loaded = await self._load(missing)
            reach(CrashPoint.AFTER_RESUME)
            found = {**self._by_partition, **loaded}
            if times_forgotten == self._times_forgotten:
                self._by_partition = found
            # Otherwise partitions were taken from us meanwhile, maybe these: they are loaded anew when they come back.
            return {partition: found[partition] for partition in asked if partition in found}

    def of(self, partitions: Iterable[int]) -> Mapping[int, P]:
        """The positions of our partitions. Raises KeyError for one that nobody has assigned to us: work on it would
        start wherever it happened to be."""
        return {partition: self._by_partition[partition] for partition in partitions}

    def keep(self, partition: int, position: P) -> None:
        """Note how far a partition has come."""
        self._by_partition[partition] = position

    def forget(self, partitions: Iterable[int]) -> None:
        """Drop the positions of these partitions."""
        self._times_forgotten += 1
        for partition in partitions:
            self._by_partition.pop(partition, None)
