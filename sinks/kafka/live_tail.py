"""What comes onto topics, from now on: read without a group, for as long as somebody wants it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol, TypeAlias

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.settings import Settings
from sinks.errors import BrokerAwayError, SinkError
from sinks.kafka.options import client_options
from sinks.kafka.reading import patch_reading
from sinks.kafka.records import Consumed

RECORDS_AT_ONCE = 500
"""Read in one go, in which the event loop does nothing else: about a millisecond."""

POLL_TIMEOUT_MS = 500
START_TIMEOUT_S = 10.0
RETRY_S = 1.0

LINGER_S = 10.0
"""Reading goes on for so long after nobody wanted it any more: whoever comes next need not wait for a connection."""

FETCH_BYTES_MAX = 512 * 1024

Ends: TypeAlias = Mapping[TopicPartition, int]

_FAULTS = (KafkaError, SinkError, OSError, TimeoutError)
_log = structlog.get_logger(__name__)


class Reader(Protocol):
    """Who is told of records. No method may wait."""

    @property
    def is_wanted(self) -> bool:
        """Whether somebody wants to know."""

    def begin(self, ends: Ends) -> None:
        """From these offsets on, all records will be told, each partition's in their order."""

    def take(self, where: TopicPartition, records: Sequence[Consumed]) -> None:
        """The next records of a partition."""

    def lose(self) -> None:
        """Nothing more will be told before the next `begin`; records in between are not told at all."""


class LiveTail:
    """Follows all partitions of some topics while its reader is wanted. ``clock`` gives seconds that never go back."""

    def __init__(
        self, settings: Settings, topics: Sequence[str], reader: Reader, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._reader = reader
        self._clock = clock
        self._wanted = asyncio.Event()
        self._following = asyncio.Event()
        self._asking = 0
        self._is_stopping = False

    async def follow(self, timeout_s: float) -> bool:
        """Whether all records are told from now on; waits so long for it, where nobody wanted to know before."""
        if self._following.is_set():
            return True
        self._wanted.set()
        self._asking += 1
        try:
            await asyncio.wait_for(self._following.wait(), timeout_s)
        except TimeoutError:
            return False
        finally:
            self._asking -= 1
        return True

    async def run(self) -> None:
        """Follow whenever somebody wants to know, until `stop`."""
        while not self._is_stopping:
            await self._wanted.wait()
            try:
                async with self._consumer() as consumer:
                    await self._follow(consumer)
            except _FAULTS as error:
                _log.warning("outcomes.unreadable", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(RETRY_S)
            except Exception:  # noqa: BLE001 (whatever it is, it is begun anew)
                _log.exception("outcomes.fault")
                await asyncio.sleep(RETRY_S)
            if not self._asking:
                self._wanted.clear()

    def stop(self) -> None:
        """Let `run` come to its end, within a poll."""
        self._is_stopping = True
        self._wanted.set()

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        async with asyncio.timeout(START_TIMEOUT_S):
            ends = await self._ends(consumer)
        consumer.assign(list(ends))
        for where, end in ends.items():
            consumer.seek(where, end)
        self._reader.begin(ends)
        self._following.set()
        wanted_s = self._clock()
        try:
            while self._reader.is_wanted or self._clock() - wanted_s < LINGER_S:
                if self._is_stopping:
                    break
                if self._reader.is_wanted:
                    wanted_s = self._clock()
                fetched = await consumer.getmany(timeout_ms=POLL_TIMEOUT_MS, max_records=RECORDS_AT_ONCE)
                for where, records in fetched.items():
                    self._reader.take(where, records)
                await asyncio.sleep(0)  # others first, when more has been fetched already
        finally:
            self._following.clear()
            self._reader.lose()

    async def _ends(self, consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
        # Naming an unknown topic may create it, with whatever number of partitions: look first.
        known = await consumer._client.fetch_all_metadata()  # noqa: SLF001 (a consumer has no public way to ask)
        partitions: list[TopicPartition] = []
        for topic in self._topics:
            found = known.partitions_for_topic(topic)
            if not found:
                raise BrokerAwayError(f"Kafka has no topic {topic}: run `hfts topics`")
            partitions += [TopicPartition(topic, partition) for partition in sorted(found)]
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        return ends

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        patch_reading()
        consumer = AIOKafkaConsumer(
            **client_options(self._settings),
            group_id=None,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="none",
            max_partition_fetch_bytes=FETCH_BYTES_MAX,
        )
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await consumer.start()
            yield consumer
        finally:
            await consumer.stop()
