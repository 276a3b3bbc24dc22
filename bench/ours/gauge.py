"""When the first transfer of a run was committed, when the last, and when the last outcome was published."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from ops.lag.reader import applied_offsets
from ops.load.wallets import behind
from ops.topic_reader import topic_spans
from schemas.headers import source_offset
from schemas.settings import Settings
from schemas.topics import TRANSFERS_OUTCOMES
from sinks.kafka.tails import last_between
from sinks.postgres.pool import Connection

POLL_INTERVAL_S = 0.02
STALLED_S_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Times:
    """Moments on ``time.perf_counter``: ``first_s`` is the last look at which nothing was committed yet."""

    first_s: float
    committed_s: float
    published_s: float


@dataclass(frozen=True, slots=True)
class Gauge:
    """Looks at the progress table fifty times a second, and at the tail of the outcomes once all is committed."""

    settings: Settings
    database: Connection
    consumer: AIOKafkaConsumer
    each_look: Callable[[], None]
    """Called at every look: to see whether everybody still lives, and how much memory they hold."""

    async def first(self, before: int) -> float:
        """The last moment at which no more than ``before`` requests were applied, of all partitions."""
        began_s = first_s = time.perf_counter()
        while sum((await applied_offsets(self.database, self.settings)).values()) <= before:
            first_s = time.perf_counter()
            self._look(first_s - began_s, "no request is applied")
            await asyncio.sleep(POLL_INTERVAL_S)
        return first_s

    async def last(self, ends: Mapping[int, int], first_s: float) -> Times:
        """Wait until each partition is applied up to its end, and the last outcome of each is out.

        Both raise RuntimeError when nothing has moved for a minute.
        """
        missing, moved_s = -1, time.perf_counter()
        while missing != 0:
            found = behind(await applied_offsets(self.database, self.settings), ends.items())
            now_s = time.perf_counter()
            if found != missing:
                missing, moved_s = found, now_s
            self._look(now_s - moved_s, f"{missing:,} requests are not applied")
            if missing:
                await asyncio.sleep(POLL_INTERVAL_S)
        return Times(first_s, now_s, await self._published(ends))

    async def _published(self, ends: Mapping[int, int]) -> float:
        topic = self.settings.topic_name(TRANSFERS_OUTCOMES)
        began_s = time.perf_counter()
        while True:  # ends with the last outcome, or after a minute
            looked_s = time.perf_counter()
            spans = await topic_spans(self.consumer, {topic: self.settings.topic_partitions})
            bounds = {TopicPartition(topic, span.partition): (span.begin, span.end) for span in spans}
            tails = await last_between(self.consumer, {w: b for w, b in bounds.items() if w.partition in ends})
            reached = {where.partition: source_offset(record.headers) or 0 for where, record in tails.items()}
            if all(reached.get(partition, -1) == end - 1 for partition, end in ends.items()):
                return looked_s
            self._look(looked_s - began_s, "outcomes are not published")
            await asyncio.sleep(POLL_INTERVAL_S)

    def _look(self, still_s: float, waiting: str) -> None:
        self.each_look()
        if still_s > STALLED_S_MAX:
            raise RuntimeError(f"{waiting}, and nothing has moved for {STALLED_S_MAX:.0f} s")
