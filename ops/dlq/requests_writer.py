"""Writes to the topic of requests, a chunk a transaction, all of it or nothing."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidTxnState,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
)
from aiokafka.partitioner import murmur2

from ops.dlq.errors import DeadLetterError, OvertakenError, UnconfirmedError
from schemas.settings import Settings
from schemas.topics import RECORD_BYTES_MAX, TRANSFERS_REQUESTED
from sinks.kafka.options import client_options
from sinks.kafka.publisher import BATCH_BYTES_MAX
from sinks.kafka.records import Record

TRANSACTION_TIMEOUT_S = 10.0
"""Short, because a transaction that a killed command leaves open holds up the requests behind it for so long."""

FENCE_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 5.0

_KEY_MASK = 0x7FFFFFFF

_SHUT_OUT = (ProducerFenced, InvalidProducerEpoch, InvalidProducerIdMapping, InvalidTxnState)


def transactional_id(settings: Settings) -> str:
    """The one under which replays are published: whoever takes it shuts out whoever had it."""
    return f"{settings.topic_prefix}hfts-dlq"


def partition_of_key(key: bytes, partitions: int) -> int:
    """Where Java's and aiokafka's default partitioner put a key."""
    return int((murmur2(key) & _KEY_MASK) % partitions)


class RequestsWriter:
    """A transactional producer for the topic of requests."""

    def __init__(self, settings: Settings, producer: AIOKafkaProducer) -> None:
        self._topic = settings.topic_name(TRANSFERS_REQUESTED)
        self._producer = producer

    async def put(self, records: Sequence[tuple[int, Record]], on_sent: Callable[[], None]) -> list[int | None]:
        """Publish records to the given partitions in order, in one transaction; return the offset of each.

        None stands for an offset that a broker did not tell, because it had the batch from an earlier try.
        ``on_sent`` is called between the last record and the commit. Raises OvertakenError, UnconfirmedError,
        DeadLetterError for a record that is too large, and KafkaError. After any of them, what was published is open.
        """
        try:
            async with asyncio.timeout(TRANSACTION_TIMEOUT_S):
                await self._producer.begin_transaction()
                offsets = await self._send(records)
                on_sent()
                await self._producer.commit_transaction()
        except _SHUT_OUT as error:
            raise OvertakenError(
                "another replay has begun since and goes on from here, or the brokers found this one too slow. What it "
                "has left to do, running the same again does"
            ) from error
        except (TimeoutError, MessageSizeTooLargeError, KafkaError) as error:
            await self._abort()
            raise _explained(error) from error
        return offsets

    async def _send(self, records: Sequence[tuple[int, Record]]) -> list[int | None]:
        places: defaultdict[int, list[int]] = defaultdict(list)
        for place, (partition, _) in enumerate(records):
            places[partition].append(place)
        sent: list[tuple[list[int], asyncio.Future[Any]]] = []
        for partition, those in places.items():
            sent += await self._send_to(partition, [(place, records[place][1]) for place in those])
        await asyncio.wait([future for _, future in sent])
        offsets: list[int | None] = [None] * len(records)
        for those, future in sent:
            base_offset: int = future.result().offset
            for number, place in enumerate(those):
                offsets[place] = base_offset + number if base_offset >= 0 else None
        return offsets

    async def _send_to(
        self, partition: int, records: Sequence[tuple[int, Record]]
    ) -> list[tuple[list[int], "asyncio.Future[Any]"]]:
        sent = []
        batch, places, size_bytes = self._producer.create_batch(), list[int](), 0
        for place, record in records:
            if places and size_bytes + record.size_bytes_max > BATCH_BYTES_MAX:
                sent.append((places, await self._send_batch(batch, partition)))
                batch, places, size_bytes = self._producer.create_batch(), [], 0
            if batch.append(key=record.key, value=record.value, timestamp=None, headers=record.headers) is None:
                raise DeadLetterError("a record batch is full before its time")
            places.append(place)
            size_bytes += record.size_bytes_max
        sent.append((places, await self._send_batch(batch, partition)))
        return sent

    async def _send_batch(self, batch: Any, partition: int) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = await self._producer.send_batch(batch, self._topic, partition=partition)
        # Looked at even if we have given up waiting by then, or asyncio complains.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        return future

    async def _abort(self) -> None:
        """Make the requests behind wait no longer than they must. Failing that, the brokers do it in a while."""
        with suppress(KafkaError, TimeoutError, AssertionError):  # the last for a transaction that is ending already
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._producer.abort_transaction()


def _explained(error: Exception) -> Exception:
    if isinstance(error, TimeoutError):
        return UnconfirmedError(
            f"Kafka did not confirm within {TRANSACTION_TIMEOUT_S:g} s. Run the same again once it answers: it finds "
            "out what was published"
        )
    if isinstance(error, MessageSizeTooLargeError):
        return DeadLetterError(
            "a letter is larger than the topic of requests takes, even compressed (at most max.message.bytes). Leave "
            "it out with filters, or discard it"
        )
    return error


@asynccontextmanager
async def requests_writer(settings: Settings) -> AsyncIterator[RequestsWriter]:
    """A writer that has shut out every earlier one: their open transactions are aborted, and they can begin no other.

    Raises UnconfirmedError when Kafka does not answer, and KafkaError.
    """
    # Compressed, because what came compressed may be larger than a broker takes as it is.
    producer = AIOKafkaProducer(
        **client_options(settings),
        transactional_id=transactional_id(settings),
        transaction_timeout_ms=int(TRANSACTION_TIMEOUT_S * 1000),
        compression_type="zstd",
        max_batch_size=BATCH_BYTES_MAX,
        max_request_size=2 * RECORD_BYTES_MAX,
    )
    try:
        try:
            async with asyncio.timeout(FENCE_TIMEOUT_S):
                await producer.start()
        except (TimeoutError, AssertionError) as error:  # the latter where a broker that starts knows of no broker yet
            raise UnconfirmedError("Kafka answers, and is not ready for a transaction yet: run this again") from error
        yield RequestsWriter(settings, producer)
    finally:
        await _stop(producer)


async def _stop(producer: AIOKafkaProducer) -> None:
    """Stop in bounded time. By itself a producer waits for brokers that are away, and goes on trying if left alone."""
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await producer.stop()
    except (TimeoutError, KafkaError):
        # There is no public way to end it.
        sender_task = producer._sender.sender_task  # noqa: SLF001
        if sender_task is not None:
            sender_task.cancel()
        producer._message_accumulator.fail_all(KafkaError("stopped"))  # noqa: SLF001
        with suppress(TimeoutError, KafkaError):
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await producer.client.close()
