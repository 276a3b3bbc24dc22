"""Sends requests straight to Kafka: one by one at their times, or in record batches as fast as it goes."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from schemas.settings import Settings
from schemas.signatures import RequestSigner
from schemas.topics import TRANSFERS_REQUESTED
from sinks.kafka.options import client_options
from sinks.kafka.partitions import partition_of
from sinks.kafka.signing import request_signer

BATCH_BYTES = 128 * 1024
BATCHES_UNDER_WAY_MAX = 64
"""Of 128 KiB each: 8 MiB on their way to the broker at most."""

Keyed = tuple[bytes | None, bytes | None]


@dataclass(slots=True)
class Sent:
    """How many records a batch send brought in, and the end of each partition it wrote to."""

    records: int
    ends: dict[int, int]


class KafkaSender:
    """A producer for the request topic."""

    def __init__(self, settings: Settings, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self.topic = settings.topic_name(TRANSFERS_REQUESTED)
        self._partitions = settings.topic_partitions
        self._signer = request_signer(settings)

    async def send(self, key: bytes, value: bytes, done: Callable[[BaseException | None], None]) -> None:
        """Hand over one record; ``done`` is called with None once the brokers have it, or with what went wrong."""
        partition = partition_of(key, self._partitions)
        headers = [self._signer.header(value)] if self._signer else None
        future = await self._producer.send(self.topic, value, key=key, partition=partition, headers=headers)
        future.add_done_callback(lambda found: done(found.exception()))

    async def flush(self) -> None:
        """Wait until everything handed over has been answered."""
        await self._producer.flush()

    async def send_batches(self, records: Iterable[Keyed]) -> Sent:
        """Send in record batches, in order within each partition, and return once the brokers have all.

        A record without a key goes to partition 0. Raises KafkaError.
        """
        batches: dict[int, _Batch] = {}
        under_way: set[asyncio.Future[None]] = set()
        sent = Sent(0, defaultdict(int))
        for key, value in records:
            partition = 0 if key is None else partition_of(key, self._partitions)
            batch = batches.get(partition)
            if batch is None or not batch.add(key, value):
                if batch is not None:
                    under_way.add(await self._submit(batch, partition, sent))
                batch = batches[partition] = _Batch(self._producer.create_batch(), self._signer)
                if not batch.add(key, value):
                    raise ValueError("the record is larger than a record batch may be")
            if len(under_way) >= BATCHES_UNDER_WAY_MAX:
                done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                for future in done:
                    future.result()
        for partition, batch in batches.items():
            under_way.add(await self._submit(batch, partition, sent))
        for future in under_way:
            await future
        return sent

    async def _submit(self, batch: "_Batch", partition: int, sent: Sent) -> "asyncio.Task[None]":
        future = await self._producer.send_batch(batch.builder, self.topic, partition=partition)

        async def confirmed() -> None:
            metadata = await future
            sent.records += batch.count
            sent.ends[partition] = max(sent.ends[partition], metadata.offset + batch.count)

        return asyncio.create_task(confirmed())


class _Batch:
    def __init__(self, builder: BatchBuilder, signer: RequestSigner | None) -> None:
        self.builder = builder
        self.count = 0
        self._signer = signer

    def add(self, key: bytes | None, value: bytes | None) -> bool:
        """Whether there was room."""
        headers = [self._signer.header(value)] if self._signer and value is not None else []
        if self.builder.append(key=key, value=value, timestamp=None, headers=headers) is None:
            return False
        self.count += 1
        return True


@asynccontextmanager
async def kafka_sender(settings: Settings) -> AsyncIterator[KafkaSender]:
    """A started sender. Raises KafkaConnectionError when no broker answers."""
    producer = AIOKafkaProducer(
        **client_options(settings), acks="all", enable_idempotence=True, max_batch_size=BATCH_BYTES, linger_ms=2
    )
    await producer.start()
    try:
        yield KafkaSender(settings, producer)
    finally:
        await producer.stop()
