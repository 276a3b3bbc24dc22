"""What a lag means: for how long its oldest record has waited, and how much money has not moved yet."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from ops.lag.oldest import FETCH_BYTES_MAX, first_between
from ops.lag.report import LagReport, PartitionLag
from ops.lag.unapplied import Unapplied
from ops.topic_reader import Span, group_free_consumer, read_spans
from schemas.money import format_units
from schemas.settings import Settings
from schemas.topics import TRANSFERS_REQUESTED

RECORDS_MAX = 4_000_000
"""Kept at most: 68 MB."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What one look at the money may take, in seconds and in records; what is left is read at the next one.

    ``records_per_poll`` are decoded in one go, about 3 µs each, in which the event loop does nothing else.
    """

    seconds: float
    records: int
    records_per_poll: int


AT_ONCE = Effort(seconds=3.0, records=RECORDS_MAX, records_per_poll=5_000)
"""For a person who waits for it."""

BESIDE_OTHERS = Effort(seconds=1.0, records=20_000, records_per_poll=500)
"""For a process that has something else to do."""

GroupPartition = tuple[str, str, int]
"""Group, topic and partition."""


@dataclass(frozen=True, slots=True)
class Money:
    """What is accepted and not applied: units by currency, of so many records; ``unreadable`` ones say no amount.

    ``is_all`` is False while there are more records than have been read yet: then it is at least so much.
    """

    units: dict[str, int]
    records: int
    unreadable: int
    is_all: bool

    def as_json(self) -> dict[str, object]:
        """As a JSON object; amounts are decimal text."""
        return {
            "amounts": {currency: format_units(units) for currency, units in sorted(self.units.items())},
            "records": self.records,
            "unreadable": self.unreadable,
            "is_all": self.is_all,
        }


@dataclass(frozen=True, slots=True)
class Waiting:
    """Beside a lag report. ``ages_s``: for how long the oldest record has waited, only where one does."""

    ages_s: dict[GroupPartition, float]
    money: Money

    def age_s(self, group: str) -> float:
        """The longest wait in all partitions of a group; 0 when nothing waits."""
        return max((age_s for (found, _, _), age_s in self.ages_s.items() if found == group), default=0.0)


class WaitingReader:
    """Reads it again and again; requests are read once, and only those that wait when they are looked at."""

    def __init__(self, topic: str, first: AIOKafkaConsumer, requests: AIOKafkaConsumer, effort: Effort) -> None:
        self._topic = topic
        self._effort = effort
        self._first = first
        self._requests = requests
        self._unapplied: dict[TopicPartition, Unapplied] = {}

    async def read(self, report: LagReport) -> Waiting:
        """What the report's lag means now. Raises KafkaError and TopicReadError."""
        return Waiting(await self._ages_s(report.partitions), await self._money(report.partitions))

    async def _ages_s(self, partitions: Sequence[PartitionLag]) -> dict[GroupPartition, float]:
        ages_s: dict[GroupPartition, float] = {}
        lagging = [lag for lag in partitions if lag.lag]
        # A consumer stands at one place of a partition, and groups at several.
        for group in dict.fromkeys(lag.group for lag in lagging):
            bounds = {
                TopicPartition(lag.topic, lag.partition): (lag.next, lag.records_end)
                for lag in lagging
                if lag.group == group
            }
            found = await first_between(self._first, bounds)
            now_s = time.time()
            for where, record in found.items():
                ages_s[group, where.topic, where.partition] = max(0.0, now_s - record.timestamp / 1000)
        return ages_s

    async def _money(self, partitions: Sequence[PartitionLag]) -> Money:
        applied = {TopicPartition(lag.topic, lag.partition): lag for lag in partitions if lag.topic == self._topic}
        for where, lag in applied.items():
            known = self._unapplied.get(where)
            if known is None or lag.next < known.begin:  # the ledger was brought back to an earlier state
                self._unapplied[where] = Unapplied(lag.next)
            else:
                known.drop_below(lag.next)
        spans = [
            Span(where.topic, where.partition, self._unapplied[where].next_offset, lag.records_end)
            for where, lag in applied.items()
        ]
        is_all = await self._read(spans)
        units: Counter[str] = Counter()
        for known in self._unapplied.values():
            units.update(known.amounts())
        return Money(
            dict(units),
            sum(map(len, self._unapplied.values())),
            sum(known.unreadable for known in self._unapplied.values()),
            is_all,
        )

    async def _read(self, spans: Sequence[Span]) -> bool:
        """Whether the spans are read to their ends: neither time nor room has run out."""
        until_s = time.monotonic() + self._effort.seconds
        room = min(self._effort.records, RECORDS_MAX - sum(map(len, self._unapplied.values())))
        if room <= 0:
            return not any(span.begin < span.end for span in spans)
        reading = read_spans(self._requests, spans, records_per_poll=self._effort.records_per_poll)
        async with aclosing(reading):
            async for where, records in reading:
                self._unapplied[where].add(records)
                room -= len(records)
                if room <= 0 or time.monotonic() > until_s:
                    return False
        return True


@asynccontextmanager
async def waiting_reader(settings: Settings, effort: Effort = AT_ONCE) -> AsyncIterator[WaitingReader]:
    """A reader with its connections. Raises KafkaError."""
    async with (
        group_free_consumer(settings, fetch_bytes_max=FETCH_BYTES_MAX) as first,
        group_free_consumer(settings) as requests,
    ):
        yield WaitingReader(settings.topic_name(TRANSFERS_REQUESTED), first, requests, effort)
