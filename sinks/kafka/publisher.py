"""Publishing in record batches, confirmed by all in-sync replicas before it returns."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError

from schemas.headers import source_offset
from schemas.settings import Settings
from schemas.topics import RECORD_BYTES_MAX
from sinks.errors import SinkError
from sinks.kafka.options import client_options
from sinks.kafka.records import Consumed, Record
from sinks.kafka.tails import last_records

BATCH_BYTES_MAX = RECORD_BYTES_MAX - 64 * 1024
"""What a record batch holds at most, below the broker's limit."""

WAIT_LOG_INTERVAL_S = 10.0

_log = structlog.get_logger(__name__)


class Publisher(Protocol):
    """Writes to topics, and knows what stands at their ends."""

    async def start(self) -> None:
        """Connect."""

    async def stop(self) -> None:
        """Send what is pending and disconnect."""

    async def publish(self, topic: str, partition: int, groups: Iterable[tuple[Record, ...]]) -> None:
        """Publish groups of records in order; return once all of them are durable.

        The records of a group always share a record batch, so that a crash leaves all of them or none.
        """

    async def last_records(self, topic: str, partitions: Iterable[int]) -> Mapping[int, Consumed]:
        """The last record of each of these partitions that has one."""


async def last_source_offsets(publisher: Publisher, topic: str, partitions: Iterable[int]) -> dict[int, int]:
    """The source offset of the last record of each of these partitions, -1 for those that have none."""
    asked = list(partitions)
    last = await publisher.last_records(topic, asked)
    return {partition: _source_offset(last.get(partition)) for partition in asked}


def _source_offset(record: Consumed | None) -> int:
    found = None if record is None else source_offset(record.headers)
    return -1 if found is None else found


class KafkaPublisher:
    """An idempotent producer of whole record batches."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._squeezing: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect. Raises KafkaConnectionError when no broker answers."""
        self._producer = self._new_producer(compression=None)
        await self._producer.start()

    async def stop(self) -> None:
        """Send what is pending and disconnect."""
        await self._producer.stop()
        if self._squeezing is not None:
            await self._squeezing.stop()

    async def publish(self, topic: str, partition: int, groups: Iterable[tuple[Record, ...]]) -> None:
        """Publish; while the broker is away this waits, and says so in the log.

        Raises KafkaError for what no retry can mend; then it is unknown which of the records were published.
        """
        pending: list[asyncio.Future[object]] = []
        for records, fits in _cut(groups):
            if fits:
                pending.append(await self._send(self._producer, records, topic, partition))
                continue
            # Larger than a broker takes, so it came compressed, and leaves compressed. Another producer sends it, and
            # between two producers only waiting keeps the order.
            await _confirmed(pending, topic, partition)
            pending = [await self._send(await self._squeezing_producer(), records, topic, partition)]
            await _confirmed(pending, topic, partition)
            pending = []
        await _confirmed(pending, topic, partition)

    async def last_records(self, topic: str, partitions: Iterable[int]) -> Mapping[int, Consumed]:
        """Raises KafkaError when no broker answers."""
        return await last_records(self._settings, topic, partitions)

    async def _send(
        self, producer: AIOKafkaProducer, records: list[Record], topic: str, partition: int
    ) -> "asyncio.Future[object]":
        batch = producer.create_batch()
        for record in records:
            added = batch.append(key=record.key, value=record.value, timestamp=None, headers=record.headers)
            if added is None:
                raise SinkError("a record batch is full before its time")
        while True:
            try:
                future: asyncio.Future[object] = await producer.send_batch(batch, topic, partition=partition)
            except KafkaTimeoutError:  # not taken in, for lack of a connection
                _log.warning("publish.waiting", topic=topic, partition=partition)
            else:
                return future

    async def _squeezing_producer(self) -> AIOKafkaProducer:
        if self._squeezing is None:
            self._squeezing = self._new_producer(compression="zstd")
            await self._squeezing.start()
        return self._squeezing

    def _new_producer(self, compression: str | None) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            **client_options(self._settings),
            acks="all",
            enable_idempotence=True,
            compression_type=compression,
            max_batch_size=BATCH_BYTES_MAX,
            max_request_size=2 * RECORD_BYTES_MAX,
        )


def _cut(groups: Iterable[tuple[Record, ...]]) -> Iterator[tuple[list[Record], bool]]:
    """Cut records into batches, never within a group, each with whether a broker takes it as it is.

    A group that is larger than that stands alone.
    """
    batch: list[Record] = []
    size_bytes = 0
    for group in groups:
        group_bytes = sum([record.size_bytes_max for record in group])
        if batch and size_bytes + group_bytes > BATCH_BYTES_MAX:
            yield batch, size_bytes <= BATCH_BYTES_MAX
            batch, size_bytes = [], 0
        batch.extend(group)
        size_bytes += group_bytes
    if batch:
        yield batch, size_bytes <= BATCH_BYTES_MAX


async def _confirmed(pending: "list[asyncio.Future[object]]", topic: str, partition: int) -> None:
    while pending:
        done, waiting = await asyncio.wait(pending, timeout=WAIT_LOG_INTERVAL_S)
        for future in done:
            future.result()
        pending = list(waiting)
        if pending:
            _log.warning("publish.waiting", topic=topic, partition=partition, batches=len(pending))
