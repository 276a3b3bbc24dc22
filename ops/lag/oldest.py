"""The first record of a stretch: what a group works on next, and so the one that has waited for longest."""

import time
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaTimeoutError

from sinks.kafka.records import Consumed
from sinks.kafka.tails import POLL_TIMEOUT_MS, STALLED_S_MAX, Bounds

FETCH_BYTES_MAX = 16 * 1024
"""Of a partition: one record is wanted, and a broker sends a larger one whole."""


async def first_between(
    consumer: AIOKafkaConsumer, bounds: Mapping[TopicPartition, Bounds]
) -> dict[TopicPartition, Consumed]:
    """The first record within the bounds of each partition that has one there.

    ``consumer`` reads committed records only, and should fetch ``FETCH_BYTES_MAX``; it is left assigned to the
    partitions of the search. Raises KafkaError, and KafkaTimeoutError when nothing moves for a minute.
    """
    positions = {where: begin for where, (begin, end) in bounds.items() if begin < end}
    if not positions:
        return {}
    consumer.assign(list(positions))
    for where, begin in positions.items():
        consumer.seek(where, begin)
    found: dict[TopicPartition, Consumed] = {}
    moved_s = time.monotonic()
    while positions:
        for where, records in (await consumer.getmany(*positions, timeout_ms=POLL_TIMEOUT_MS)).items():
            if records[0].offset < bounds[where][1]:
                found[where] = records[0]
        for where, before in list(positions.items()):
            positions[where] = position = await consumer.position(where)
            if position != before:
                moved_s = time.monotonic()
            if where in found or position >= bounds[where][1]:
                del positions[where]
                consumer.pause(where)
        if time.monotonic() - moved_s > STALLED_S_MAX:
            stuck = ", ".join(f"{where.topic}-{where.partition}" for where in list(positions)[:3])
            raise KafkaTimeoutError(f"the broker delivered nothing for {STALLED_S_MAX:.0f} s of {stuck}")
    return found
