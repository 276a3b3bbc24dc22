"""The last record of each partition: it says what has been published, and so where to go on."""

from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.settings import Settings
from sinks.kafka.options import client_options
from sinks.kafka.records import Consumed

POLL_TIMEOUT_MS = 200


async def last_records(settings: Settings, topic: str, partitions: Iterable[int]) -> dict[int, Consumed]:
    """The last record of each of a topic's partitions that has one.

    An end offset may stand several markers after the last record (each transaction leaves one), so the search steps
    back twice as far each time, in the partitions where it has not found one.

    Raises KafkaError when no broker answers.
    """
    consumer = AIOKafkaConsumer(**client_options(settings), isolation_level="read_committed", enable_auto_commit=False)
    await consumer.start()
    try:
        asked = [TopicPartition(topic, partition) for partition in partitions]
        begins = await consumer.beginning_offsets(asked)
        ends = await consumer.end_offsets(asked)
        found: dict[int, Consumed] = {}
        missing = [where for where in asked if begins[where] < ends[where]]
        distance = 1
        while missing:
            starts = {where: max(begins[where], ends[where] - distance) for where in missing}
            found |= await _last_between(consumer, starts, ends)
            missing = [w for w in missing if w.partition not in found and starts[w] > begins[w]]
            distance *= 2
        return found
    finally:
        await consumer.stop()


async def _last_between(
    consumer: AIOKafkaConsumer, starts: dict[TopicPartition, int], ends: dict[TopicPartition, int]
) -> dict[int, Consumed]:
    consumer.assign(list(starts))
    for where, start in starts.items():
        consumer.seek(where, start)
    found: dict[int, Consumed] = {}
    unread = set(starts)
    while unread:
        fetched = await consumer.getmany(*unread, timeout_ms=POLL_TIMEOUT_MS)
        for where, records in fetched.items():
            if records:
                found[where.partition] = records[-1]
        unread = {where for where in unread if await consumer.position(where) < ends[where]}
    return found
