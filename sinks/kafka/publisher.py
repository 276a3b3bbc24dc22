"""Publishing in record batches, confirmed by all in-sync replicas before it returns."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Protocol

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError
from aiokafka.producer.message_accumulator import BatchBuilder

from schemas.headers import source_offset
from schemas.settings import Settings
from schemas.topics import RECORD_BYTES_MAX
from sinks.kafka.options import client_options
from sinks.kafka.records import Consumed, Record
from sinks.kafka.tails import last_records

BATCH_BYTES_MAX = RECORD_BYTES_MAX - 64 * 1024
"""Record batches end below the broker's limit; a single larger record goes alone."""

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

    async def start(self) -> None:
        """Connect. Raises KafkaConnectionError when no broker answers."""
        self._producer = AIOKafkaProducer(
            **client_options(self._settings),
            acks="all",
            enable_idempotence=True,
            max_batch_size=BATCH_BYTES_MAX,
            max_request_size=2 * RECORD_BYTES_MAX,
        )
        await self._producer.start()

    async def stop(self) -> None:
        """Send what is pending and disconnect."""
        await self._producer.stop()

    async def publish(self, topic: str, partition: int, groups: Iterable[tuple[Record, ...]]) -> None:
        """Publish; while the broker is away this waits, and says so in the log.

        Raises KafkaError for what no retry can mend; then it is unknown which of the records were published.
        """
        pending = [await self._send(batch, topic, partition) for batch in self._batches(groups)]
        while pending:
            done, waiting = await asyncio.wait(pending, timeout=WAIT_LOG_INTERVAL_S)
            for future in done:
                future.result()
            pending = list(waiting)
            if pending:
                _log.warning("publish.waiting", topic=topic, partition=partition, batches=len(pending))

    async def last_records(self, topic: str, partitions: Iterable[int]) -> Mapping[int, Consumed]:
        """Raises KafkaError when no broker answers."""
        return await last_records(self._settings, topic, partitions)

    def _batches(self, groups: Iterable[tuple[Record, ...]]) -> list[BatchBuilder]:
        batches: list[BatchBuilder] = []
        room = 0
        for group in groups:
            size = sum(record.size_bytes_max for record in group)
            if size > room:
                batches.append(self._producer.create_batch())
                room = BATCH_BYTES_MAX
            room -= size
            for record in group:
                batches[-1].append(key=record.key, value=record.value, timestamp=None, headers=record.headers)
        return batches

    async def _send(self, batch: BatchBuilder, topic: str, partition: int) -> "asyncio.Future[object]":
        while True:
            try:
                future: asyncio.Future[object] = await self._producer.send_batch(batch, topic, partition=partition)
            except KafkaTimeoutError:  # not taken in, for lack of a connection
                _log.warning("publish.waiting", topic=topic, partition=partition)
            else:
                return future
