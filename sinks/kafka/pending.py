"""Requests of one key that are on the topic and have not been applied yet."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.settings import Settings
from schemas.topics import TRANSFERS_REQUESTED
from sinks.errors import BrokerAwayError
from sinks.kafka.options import client_options
from sinks.kafka.partitions import partition_of
from sinks.kafka.reading import patch_reading

RECORDS_MAX = 20_000
"""Looked at for one answer: some 0.1 s of the processor."""

READING_S_MAX = 1.0
ANSWER_S_MAX = 3.0
"""With the wait for those who have asked before: one question is answered at a time."""

POLL_RECORDS = 500
POLL_TIMEOUT_MS = 20
FETCH_BYTES_MAX = 256 * 1024
FETCH_WAIT_MS_MAX = 50
STOP_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class Pending:
    """How many requests of a key wait. ``is_all`` is False where more records wait than were looked at."""

    pending: int
    is_all: bool
    partition: int
    from_offset: int
    to_offset: int


class PendingReader:
    """Looks at what waits on the topic of requests, with a consumer of its own that begins with the first question.

    ``partitions`` tells how many the topic has, ``next_offset`` up to where one of them has been applied.
    """

    def __init__(
        self,
        settings: Settings,
        partitions: Callable[[], Awaitable[int]],
        next_offset: Callable[[int], Awaitable[int]],
    ) -> None:
        self._settings = settings
        self._topic = settings.topic_name(TRANSFERS_REQUESTED)
        self._partitions = partitions
        self._next_offset = next_offset
        self._consumer: AIOKafkaConsumer | None = None
        self._turn = asyncio.Lock()

    async def of_key(self, key: bytes) -> Pending:
        """The requests that were there when this was called, and had not been applied when it returned.

        Raises BrokerAwayError and DatabaseAwayError.
        """
        try:
            async with asyncio.timeout(ANSWER_S_MAX), self._turn:
                partition = partition_of(key, await self._partitions())
                offsets, reached, is_all = await self._offsets_of(key, partition)
                applied = await self._next_offset(partition)
        except TimeoutError:
            raise BrokerAwayError("Kafka did not tell in time what waits") from None
        return Pending(
            pending=sum(offset >= applied for offset in offsets),
            is_all=is_all,
            partition=partition,
            from_offset=applied,
            to_offset=max(applied, reached),
        )

    async def stop(self) -> None:
        """Disconnect."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with contextlib.suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await consumer.stop()

    async def _offsets_of(self, key: bytes, partition: int) -> tuple[list[int], int, bool]:
        """Where records of the key stand, how far that was looked at, and whether that is the end."""
        where = TopicPartition(self._topic, partition)
        try:
            consumer = await self._started()
            # The end first: what is applied by then is not read at all.
            end = (await consumer.end_offsets([where]))[where]
            begin = max(await self._next_offset(partition), (await consumer.beginning_offsets([where]))[where])
            return await _read(consumer, where, key, begin, end)
        except KafkaError as error:
            await self.stop()
            raise BrokerAwayError("Kafka is away") from error

    async def _started(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            patch_reading()
            consumer = AIOKafkaConsumer(
                **client_options(self._settings),
                group_id=None,
                enable_auto_commit=False,
                isolation_level="read_committed",
                auto_offset_reset="none",
                max_partition_fetch_bytes=FETCH_BYTES_MAX,
                fetch_max_wait_ms=FETCH_WAIT_MS_MAX,
            )
            self._consumer = consumer
            try:
                await consumer.start()
            except BaseException:
                await self.stop()
                raise
        return self._consumer


async def _read(
    consumer: AIOKafkaConsumer, where: TopicPartition, key: bytes, begin: int, end: int
) -> tuple[list[int], int, bool]:
    offsets: list[int] = []
    position = begin
    if position < end:
        consumer.assign([where])
        consumer.seek(where, begin)
    looked_at, until_s = 0, asyncio.get_running_loop().time() + READING_S_MAX
    while position < end:
        if looked_at >= RECORDS_MAX or asyncio.get_running_loop().time() > until_s:
            return offsets, position, False
        polled = await consumer.getmany(where, timeout_ms=POLL_TIMEOUT_MS, max_records=POLL_RECORDS)
        records = polled.get(where, [])
        looked_at += len(records)
        offsets += [record.offset for record in records if record.key == key and record.offset < end]
        position = await consumer.position(where)
    return offsets, end, True
