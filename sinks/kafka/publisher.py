"""Publishing in record batches, confirmed by all in-sync replicas before it returns."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaTimeoutError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch

from schemas.crash_points import CrashPoint
from schemas.headers import source_offset
from schemas.settings import Settings
from schemas.topics import RECORD_BYTES_MAX
from sinks.crash import reach
from sinks.errors import SinkError
from sinks.kafka.fence import Claim, renew, take_over
from sinks.kafka.options import client_options
from sinks.kafka.records import Consumed, Record
from sinks.kafka.tails import end_offsets, last_records

BATCH_BYTES_MAX = RECORD_BYTES_MAX - 64 * 1024
"""What a record batch holds at most, below the broker's limit."""

WAIT_LOG_INTERVAL_S = 10.0

RENEW_INTERVAL_S = 6 * 3600.0
"""Brokers forget a claim that was not renewed for 7 days, by default."""

_log = structlog.get_logger(__name__)


class Publisher(Protocol):
    """Writes to topics, and knows what stands at their ends."""

    async def start(self) -> None:
        """Connect."""

    async def stop(self) -> None:
        """Send what is pending and disconnect."""

    async def take_over(self, topics: Sequence[str], partitions: Iterable[int]) -> None:
        """From now on write to these partitions of the topics. Who wrote to them before can do so no more."""

    async def publish(self, topic: str, partition: int, groups: Iterable[tuple[Record, ...]]) -> None:
        """Publish groups of records in order to a partition that was taken over; return once all are durable.

        The records of a group always share a record batch, so that a crash leaves all of them or none.
        """

    async def last_records(self, topic: str, partitions: Iterable[int]) -> Mapping[int, Consumed]:
        """The last record of each of these partitions that has one."""

    async def end_offsets(self, topic: str, partitions: Iterable[int]) -> Mapping[int, int]:
        """Where the committed records of each of these partitions end."""


async def last_source_offsets(publisher: Publisher, topic: str, partitions: Iterable[int]) -> dict[int, int]:
    """The source offset of the last record of each of these partitions, -1 for those that have none."""
    asked = list(partitions)
    last = await publisher.last_records(topic, asked)
    return {partition: source_offset_of(last.get(partition)) for partition in asked}


def source_offset_of(record: Consumed | None) -> int:
    """The offset of the record that this one follows from; -1 where there is none."""
    found = None if record is None else source_offset(record.headers)
    return -1 if found is None else found


class ClaimedBatch(BatchBuilder):
    """A record batch that is sent under the claim it was made for, also when another claim has followed since."""

    def __init__(self, claim: Claim, *, compressed: bool = False) -> None:
        super().__init__(BATCH_BYTES_MAX, DefaultRecordBatch.CODEC_ZSTD if compressed else 0)  # type: ignore[no-untyped-call]
        self._claim = claim

    def _set_producer_state(self, _producer_id: int, _epoch: int, _sequence: int) -> None:
        # aiokafka calls this when it sends the batch for the first time, with the state of its own producer.
        claim = self._claim
        sequence = claim.take_sequence(self.record_count())  # type: ignore[no-untyped-call]
        super()._set_producer_state(*claim.writer, sequence)  # type: ignore[no-untyped-call]


class KafkaPublisher:
    """An idempotent producer of whole record batches.

    Of all publishers with the same ``writer``, on whatever machines, only the last to take a partition over can write
    to it.
    """

    def __init__(self, settings: Settings, writer: str) -> None:
        self._settings = settings
        self._writer = writer
        self._claims: dict[TopicPartition, Claim] = {}

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

    async def take_over(self, topics: Sequence[str], partitions: Iterable[int]) -> None:
        """Raises ProducerFenced when another takes one of them over at the same moment, and KafkaError."""
        await asyncio.gather(*(self._take_over(topics, partition) for partition in partitions))
        reach(CrashPoint.AFTER_FENCE)

    async def _take_over(self, topics: Sequence[str], partition: int) -> None:
        ours = [TopicPartition(topic, partition) for topic in topics]
        writer = await take_over(self._producer.client, f"{self._writer}-{partition}", ours)
        self._claims |= {where: Claim(writer) for where in ours}

    def release(self, partitions: Iterable[int]) -> None:
        """From now on publishing to them is a fault."""
        released = set(partitions)
        self._claims = {where: claim for where, claim in self._claims.items() if where.partition not in released}

    async def keep_claims(self) -> None:
        """Renew all claims every few hours until cancelled. Raises ProducerFenced and KafkaError."""
        while True:
            await asyncio.sleep(RENEW_INTERVAL_S)
            await self.renew()

    async def renew(self) -> None:
        """Renew all claims once."""
        for partition in {where.partition for where in self._claims}:
            claims = {where: claim for where, claim in self._claims.items() if where.partition == partition}
            for writer in {claim.writer for claim in claims.values()}:  # one; none if released meanwhile
                await renew(self._producer.client, f"{self._writer}-{partition}", writer, claims)

    async def publish(self, topic: str, partition: int, groups: Iterable[tuple[Record, ...]]) -> None:
        """Publish; while the broker is away this waits, and says so in the log.

        Raises ProducerFenced when another has taken the partition over, and KafkaError for what no retry can mend;
        with the latter it is unknown which of the records were published.
        """
        where = TopicPartition(topic, partition)
        claim = self._claims.get(where)
        if claim is None:
            raise SinkError(f"{topic}[{partition}] was not taken over")
        pending = []
        for records, fits in _cut(groups):
            # Larger than a broker takes, so it came compressed, and leaves compressed.
            batch = ClaimedBatch(claim, compressed=not fits)
            pending.append(await self._send(_filled(batch, records), where))
            reach(CrashPoint.WITHIN_PUBLISH)
        await _confirmed(pending, where)

    async def last_records(self, topic: str, partitions: Iterable[int]) -> Mapping[int, Consumed]:
        """Raises KafkaError when no broker answers."""
        return await last_records(self._settings, topic, partitions)

    async def end_offsets(self, topic: str, partitions: Iterable[int]) -> Mapping[int, int]:
        """Raises KafkaError when no broker answers."""
        return await end_offsets(self._settings, topic, partitions)

    async def _send(self, batch: BatchBuilder, where: TopicPartition) -> "asyncio.Future[object]":
        while True:
            try:
                future: asyncio.Future[object] = await self._producer.send_batch(
                    batch, where.topic, partition=where.partition
                )
            except KafkaTimeoutError:  # not taken in, for lack of a connection
                _log.warning("publish.waiting", topic=where.topic, partition=where.partition)
            else:
                return future


def _filled(batch: BatchBuilder, records: Iterable[Record]) -> BatchBuilder:
    for record in records:
        if batch.append(key=record.key, value=record.value, timestamp=None, headers=record.headers) is None:
            raise SinkError("a record batch is full before its time")
    return batch


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


async def _confirmed(pending: "list[asyncio.Future[object]]", where: TopicPartition) -> None:
    while pending:
        done, waiting = await asyncio.wait(pending, timeout=WAIT_LOG_INTERVAL_S)
        for future in done:
            future.result()
        pending = list(waiting)
        if pending:
            _log.warning("publish.waiting", topic=where.topic, partition=where.partition, batches=len(pending))
