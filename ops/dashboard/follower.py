"""Follows the outcomes while somebody looks: from a little before the end, at a bounded cost."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Literal, TypeAlias

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from ops.dashboard.outcome_sums import OutcomeSums
from ops.dashboard.sampling import first_offsets, newest
from ops.dashboard.streams import Streams
from ops.topic_reader import TopicReadError, group_free_consumer, partition_counts, read_spans, topic_spans
from schemas.settings import Settings
from schemas.topics import TRANSFERS_OUTCOMES

INTERVAL_S = 1.0
RETRY_S = 5.0

FIRST_RECORDS_MAX = 2_000
"""Read from before the page was opened."""

ROUND_RECORDS_MAX = 2_000
"""Read each second at most; each takes some 12 µs, so that is less than 3% of a core."""

RECORDS_PER_POLL = 250
"""Decoded in one go, in which the event loop does nothing else: about 2 ms."""

ROUND_S_MAX = 20.0
"""A round that takes longer hangs on a broker, and is begun again over a new connection."""

State: TypeAlias = Literal["idle", "following", "away"]

_FAULTS = (TopicReadError, KafkaError, OSError, TimeoutError)
_log = structlog.get_logger(__name__)


class OutcomeFollower:
    """Holds the sums. ``since_s`` is when it began to follow, in seconds since 1970."""

    def __init__(self, settings: Settings, streams: Streams) -> None:
        self._settings = settings
        self._topic = settings.topic_name(TRANSFERS_OUTCOMES)
        self._streams = streams
        self.sums = OutcomeSums()
        self.state: State = "idle"
        self.since_s = 0.0

    async def run(self) -> None:
        """Follow whenever a stream is open, and a little longer, until cancelled."""
        while True:
            await self._streams.opened()
            try:
                await self._follow()
                self.state = "idle"
            except _FAULTS as error:
                self.state = "away"
                _log.warning("outcomes.unreadable", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(RETRY_S)

    async def _follow(self) -> None:
        async with self._consumer() as (consumer, counts):
            self.sums = OutcomeSums()  # what came meanwhile is unknown
            spans = await topic_spans(consumer, counts)
            nexts = first_offsets(spans, FIRST_RECORDS_MAX)
            self.since_s = time.time()
            while self._streams.are_watched:
                async with asyncio.timeout(ROUND_S_MAX):
                    nexts = await self._round(consumer, counts, nexts)
                self.state = "following"
                await asyncio.sleep(INTERVAL_S)

    async def _round(self, consumer: AIOKafkaConsumer, counts: dict[str, int], nexts: dict[int, int]) -> dict[int, int]:
        spans = await topic_spans(consumer, counts)
        wanted, passed_over = newest(spans, nexts, ROUND_RECORDS_MAX)
        self.sums.pass_over(int(time.time()), passed_over)
        async with aclosing(read_spans(consumer, wanted, records_per_poll=RECORDS_PER_POLL)) as reading:
            async for _, records in reading:
                self.sums.add(records)
                await asyncio.sleep(0)  # others first
        return {span.partition: span.end for span in spans}

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[tuple[AIOKafkaConsumer, dict[str, int]]]:
        counts = await partition_counts(self._settings, [self._topic])
        async with group_free_consumer(self._settings) as consumer:
            yield consumer, counts
