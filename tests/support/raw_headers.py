"""Record batches with header names that are no UTF-8, as no Python client makes them."""

from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from schemas.settings import Settings
from sinks.kafka.options import client_options

RawRecord = tuple[bytes | None, bytes | None, Sequence[tuple[bytes, bytes | None]]]
"""Key, value and headers; names are bytes."""

BATCH_BYTES_MAX = 4 * 1024 * 1024


class _Name(str):
    """A header name that becomes these bytes."""

    __slots__ = ("raw",)

    raw: bytes

    def encode(self, *_: object) -> bytes:
        return self.raw


def _name(raw: bytes) -> _Name:
    name = _Name()
    name.raw = raw
    return name


def builder(compression: int = 0) -> Any:
    """A batch builder in Python, which takes names of any kind."""
    return _DefaultRecordBatchBuilderPy(2, compression, 0, -1, -1, 0, BATCH_BYTES_MAX)


def built(records: Iterable[RawRecord], compression: int = 0) -> bytes:
    """One record batch, its offsets from 0 on."""
    batch = builder(compression)
    for offset, (key, value, headers) in enumerate(records):
        batch.append(offset, 1_000 + offset, key, value, [(_name(raw), held) for raw, held in headers])
    return bytes(batch.build())


async def put_raw(
    settings: Settings, topic: str, partition: int, records: Iterable[RawRecord], compression: int = 0
) -> None:
    """Send them in one batch."""
    producer = AIOKafkaProducer(**client_options(settings), max_request_size=BATCH_BYTES_MAX)
    await producer.start()
    try:
        batch: Any = producer.create_batch()
        batch._builder = builder(compression)
        for key, value, headers in records:
            named = [(_name(raw), held) for raw, held in headers]
            assert batch.append(key=key, value=value, timestamp=None, headers=named) is not None
        await (await producer.send_batch(batch, topic, partition=partition))
    finally:
        await producer.stop()
