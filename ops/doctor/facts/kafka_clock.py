"""Whether records on Kafka come from the future, by this machine's clock."""

import time
from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from ops.doctor.facts.kafka_topics import NO_TOPICS, Topics
from ops.doctor.finding import Unknown
from ops.topic_reader import group_free_consumer
from schemas.settings import Settings
from schemas.topics import NOTIFICATIONS, TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED

AHEAD_MS_MIN = 5_000
"""A record from so far in the future, by this machine's clock, is worth a word."""


def readable_topics(topics: Topics | Unknown, nodes: Sequence[int], settings: Settings) -> Mapping[str, int] | Unknown:
    """The topics that workers read and their numbers of partitions, if these brokers lead all of them."""
    if isinstance(topics, Unknown):
        return topics
    wanted = [settings.topic_name(topic) for topic in (TRANSFERS_REQUESTED, TRANSFERS_OUTCOMES, NOTIFICATIONS)]
    if any(name not in topics.found for name in wanted):
        return NO_TOPICS
    if any(partition.leader not in nodes for name in wanted for partition in topics.found[name]):
        return Unknown("every partition must have a leader that can be reached first")
    return {name: len(topics.found[name]) for name in wanted}


async def read_ahead(settings: Settings, readable: Mapping[str, int] | Unknown) -> float | Unknown:
    """How far the first record from the future is ahead of this machine's clock, in seconds, or 0.0."""
    if isinstance(readable, Unknown):
        return readable
    async with group_free_consumer(settings) as consumer:
        partitions = [TopicPartition(name, number) for name, count in readable.items() for number in range(count)]
        return await _ahead_s(consumer, partitions)


async def _ahead_s(consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> float:
    now_ms = int(time.time() * 1000)
    consumer.assign(list(partitions))
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, now_ms + AHEAD_MS_MIN))
    return max((place.timestamp - now_ms for place in found.values() if place is not None), default=0) / 1000
