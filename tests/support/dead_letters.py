"""Dead letters for tests, and their states."""

from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from builders import consumed
from pipeline_run import partition_of

from ops.dlq.listing import ANY_STATE, list_letters
from ops.dlq.selection import Selection, State
from schemas.headers import Headers
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, TRANSFERS_REQUESTED
from sinks.kafka.options import client_options
from sinks.kafka.records import Record
from streams.requests import DeadLetter, dead_letter_record


def key_for(partition: int, settings: Settings) -> str:
    """Some key that belongs to this partition."""
    return next(key for key in map(str, range(1000)) if partition_of(key, settings) == partition)


def letter_record(
    settings: Settings,
    offset: int,
    *,
    partition: int,
    key: bytes | None = None,
    value: bytes | None = None,
    headers: Headers = (),
    cause: str = "undecodable",
) -> Record:
    """The letter of a request that stood at an offset, well keyed unless another key is given."""
    key = key_for(partition, settings).encode() if key is None else key
    value = f"not json {partition}:{offset}".encode() if value is None else value
    topic = settings.topic_name(TRANSFERS_REQUESTED)
    record = consumed(offset, value, key=key, topic=topic, partition=partition, headers=headers)
    return dead_letter_record(DeadLetter(record, cause, f"the detail of {partition}:{offset}"))


async def write_letters(settings: Settings, *records: tuple[int, Record]) -> None:
    """Put letters on their partitions, in order."""
    producer = AIOKafkaProducer(**client_options(settings), acks="all", compression_type="zstd")
    async with producer:
        for partition, record in records:
            batch = producer.create_batch()
            batch.append(key=record.key, value=record.value, timestamp=None, headers=record.headers)
            await (await producer.send_batch(batch, settings.topic_name(DEAD_LETTERS), partition=partition))


async def write_numbered_letters(settings: Settings, count: int, partitions: Sequence[int] = (0, 1, 2)) -> None:
    """As many well-keyed letters on each partition, of the offsets 100, 101, …"""
    numbered = [(p, letter_record(settings, 100 + n, partition=p)) for p in partitions for n in range(count)]
    await write_letters(settings, *numbered)


async def states(settings: Settings) -> dict[str, State]:
    """The state of each letter, by address."""
    found = list_letters(settings, Selection(), ANY_STATE)
    return {str(known.letter.address): known.state async for letters in found for known in letters}
