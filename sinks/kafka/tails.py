"""The last record of a partition: it says what has been published, and so where to go on."""

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.headers import source_offset
from schemas.settings import Settings
from sinks.kafka.options import client_options
from sinks.kafka.records import Consumed

POLL_TIMEOUT_MS = 200


async def last_record(settings: Settings, topic: str, partition: int) -> Consumed | None:
    """The last record of a partition, or None while it has none.

    The end offset may stand several markers after the last record (aborted and committed transactions leave one
    each), so the search steps back twice as far each time until it finds a record.

    Raises KafkaError when no broker answers.
    """
    where = TopicPartition(topic, partition)
    consumer = AIOKafkaConsumer(**client_options(settings), isolation_level="read_committed", enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([where])
        begin = (await consumer.beginning_offsets([where]))[where]
        end = (await consumer.end_offsets([where]))[where]
        distance = 1
        while begin < end:
            start = max(begin, end - distance)
            found = await _last_between(consumer, where, start, end)
            if found is not None or start == begin:
                return found
            distance *= 2
        return None
    finally:
        await consumer.stop()


async def _last_between(consumer: AIOKafkaConsumer, where: TopicPartition, start: int, end: int) -> Consumed | None:
    consumer.seek(where, start)
    last: Consumed | None = None
    while await consumer.position(where) < end:
        fetched = await consumer.getmany(where, timeout_ms=POLL_TIMEOUT_MS)
        for record in fetched.get(where, []):
            last = record
    return last


async def last_source_offset(settings: Settings, topic: str, partition: int) -> int:
    """The source offset of a partition's last record, -1 while it has none. Raises KafkaError as above."""
    last = await last_record(settings, topic, partition)
    found = None if last is None else source_offset(last.headers)
    return -1 if found is None else found
