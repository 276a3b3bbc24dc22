"""Writes to the topic of requests, a chunk a transaction, all of it or nothing."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidTxnState,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
)

from ops.dlq.errors import DeadLetterError, OvertakenError, UnconfirmedError
from schemas.settings import Settings
from schemas.topics import RECORD_BYTES_MAX, TRANSFERS_REQUESTED
from sinks.kafka.batch_sending import Batch, send_batches
from sinks.kafka.options import client_options
from sinks.kafka.publisher import BATCH_BYTES_MAX
from sinks.kafka.records import Record

TRANSACTION_TIMEOUT_S = 10.0
"""Short, because a transaction that a killed command leaves open holds up the requests behind it for so long."""

FENCE_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 5.0

_SHUT_OUT = (ProducerFenced, InvalidProducerEpoch, InvalidProducerIdMapping, InvalidTxnState)


def transactional_id(settings: Settings) -> str:
    """The one under which replays are published: whoever takes it shuts out whoever had it."""
    return f"{settings.topic_prefix}hfts-dlq"


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
        batches = self._filled(records)
        await send_batches(self._producer, self._topic, batches)
        offsets: list[int | None] = [None] * len(records)
        for batch in batches:
            base_offset = batch.base_offset()
            if base_offset is not None and base_offset >= 0:
                for number, place in enumerate(batch.places):
                    offsets[place] = base_offset + number
        return offsets

    def _filled(self, records: Sequence[tuple[int, Record]]) -> list[Batch]:
        """The records in batches, in order within each partition. A large one stands alone, as it may not fit."""
        batches: list[Batch] = []
        filling: dict[int, Batch] = {}
        size_bytes: Counter[int] = Counter()
        for place, (partition, record) in enumerate(records):
            if partition not in filling or size_bytes[partition] + record.size_bytes_max > BATCH_BYTES_MAX:
                filling[partition] = Batch(partition, self._producer.create_batch())
                batches.append(filling[partition])
                size_bytes[partition] = 0
            batch = filling[partition]
            if batch.builder.append(key=record.key, value=record.value, timestamp=None, headers=record.headers) is None:
                raise DeadLetterError("a record batch is full before its time")
            batch.places.append(place)
            size_bytes[partition] += record.size_bytes_max
        return batches

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
