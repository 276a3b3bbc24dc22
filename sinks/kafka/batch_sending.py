"""Many records in record batches: a future for each batch, where `send` would make one for each record."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka.producer.message_accumulator import BatchBuilder

from schemas.signatures import RequestSigner
from sinks.kafka.partitions import partition_of
from sinks.tracing import OwnHeaders


@dataclass(slots=True)
class Batch:
    """Records for one partition, and the places that they had among all. ``future`` is set once it is handed over."""

    partition: int
    builder: BatchBuilder
    places: list[int] = field(default_factory=list)
    future: "asyncio.Future[Any] | None" = None

    def base_offset(self) -> int | None:
        """The first record's offset, or None while the broker has not confirmed the batch."""
        if self.future is None or not self.future.done() or self.future.cancelled() or self.future.exception():
            return None
        return int(self.future.result().offset)


def fill_batches(
    producer: Any, partitions: int, records: Sequence[tuple[bytes, bytes, OwnHeaders]], signer: RequestSigner | None
) -> list[Batch]:
    """The records, their keys, values and headers, in batches, in order within each partition.

    Raises ValueError for one that no batch can hold.
    """
    batches: list[Batch] = []
    filling: dict[int, Batch] = {}
    for place, (key, value, own) in enumerate(records):
        partition = partition_of(key, partitions)
        headers = [*own, signer.header(value)] if signer else own
        batch = filling.get(partition)
        if batch is None or batch.builder.append(key=key, value=value, timestamp=None, headers=headers) is None:
            batch = filling[partition] = Batch(partition, producer.create_batch())
            batches.append(batch)
            if batch.builder.append(key=key, value=value, timestamp=None, headers=headers) is None:
                raise ValueError("the record is larger than a record batch may be")
        batch.places.append(place)
    for batch in batches:
        batch.builder.close()  # nobody else's records come into it
    return batches


async def send_batches(producer: Any, topic: str, batches: Sequence[Batch]) -> None:
    """Send all, in order within each partition, and return once the broker has them. Raises KafkaError."""
    futures = []
    for batch in batches:
        # Waits where the partition has a batch that is not on its way yet.
        batch.future = await producer.send_batch(batch.builder, topic, partition=batch.partition)
        batch.future.add_done_callback(_note)
        futures.append(batch.future)
    await asyncio.wait(futures)
    for future in futures:
        future.result()


def _note(future: "asyncio.Future[Any]") -> None:
    """An outcome that nobody waits for any more is not an error."""
    if not future.cancelled():
        future.exception()
