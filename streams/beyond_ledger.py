"""What the topics hold beyond what a ledger knows: outcomes that were told, and orders that may be applied."""

import asyncio
from collections.abc import AsyncGenerator, Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.settings import Settings
from schemas.topics import TRANSFERS_OUTCOMES
from sinks.errors import CannotFollowError
from sinks.kafka.publisher import source_offset_of
from sinks.kafka.records import Consumed
from sinks.kafka.stretches import first_record, records_between
from sinks.kafka.tails import Bounds, bounds_of, last_between, partitions_of
from sinks.ledger.types import Order, Transfer
from streams.outcomes import told_transfer
from streams.requests import read_requests
from streams.signed_requests import forged_requests, request_verifier, without

NEAR = 1_000
"""So many outcomes that the ledger has already may be read again, rather than searching more closely."""


async def last_told(settings: Settings, consumer: AIOKafkaConsumer) -> dict[int, int]:
    """The last request told of, by partition; -1 where there is none."""
    topic = settings.topic_name(TRANSFERS_OUTCOMES)
    bounds = await bounds_of(consumer, topic, await partitions_of(consumer, topic))
    last = await last_between(consumer, bounds)
    return {where.partition: source_offset_of(last.get(where)) for where in bounds}


async def assigned(consumer: AIOKafkaConsumer, topic: str, partitions: Iterable[int]) -> dict[TopicPartition, Bounds]:
    """What these partitions hold; the consumer reads them from now on."""
    bounds = await bounds_of(consumer, topic, partitions)
    consumer.assign(list(bounds))
    return bounds


async def outcomes_from(
    consumer: AIOKafkaConsumer, where: TopicPartition, bounds: Bounds, begin: int
) -> AsyncGenerator[list[Transfer]]:
    """The outcomes of requests from ``begin`` on. Raises CannotFollowError for a record that is none."""
    first = await _near(consumer, where, bounds, begin)
    async for records in records_between(consumer, where, (first, bounds[1])):
        transfers = [_told(record) for record in records if source_offset_of(record) >= begin]
        if transfers:
            yield transfers


async def orders_of(settings: Settings, records: list[Consumed]) -> list[Order]:
    """The orders among records of one partition that may be applied."""
    orders, _ = read_requests(records)
    verifier = request_verifier(settings)
    if verifier is None:
        return orders
    batches = {records[0].partition: records}
    return list(without(await asyncio.to_thread(forged_requests, verifier, orders, batches), orders))


async def _near(consumer: AIOKafkaConsumer, where: TopicPartition, bounds: Bounds, begin: int) -> int:
    """An offset before the first outcome of a request from ``begin`` on, and not long before.

    Outcomes stand in the order of their requests.
    """
    low, high = bounds
    while high - low > NEAR:
        middle = (low + high) // 2
        record = await first_record(consumer, where, (middle, high))
        if record is None or source_offset_of(record) >= begin:
            high = middle
        else:
            low = record.offset + 1
    return low


def _told(record: Consumed) -> Transfer:
    try:
        return told_transfer(record)
    except ValueError as error:
        where = f"{record.topic}-{record.partition} at {record.offset}"
        raise CannotFollowError(f"the record of {where} is no outcome that a worker has written ({error})") from error
