"""Creates the topics, and checks that those which exist already fit."""

from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, NoError, TopicAlreadyExistsError, for_code

from schemas.settings import Settings
from schemas.topics import ALL_TOPICS, Topic
from sinks.errors import SinkError, TransientError
from sinks.kafka.access import access_fault
from sinks.kafka.options import client_options

REPLICAS_OF_TWO_IN_SYNC = 3
"""With so many replicas, two confirm each record, and one broker may be away."""


class TopicError(SinkError):
    """The topics on this cluster do not fit, or cannot be made. The message says what to do."""


async def ensure_topics(settings: Settings, topics: Sequence[Topic] = ALL_TOPICS) -> list[str]:
    """Create the missing ones of these topics, with ``topic_partitions`` and ``topic_replication``; return their names
    once they can be written to.

    Raises TopicError when a topic exists with another number of partitions (co-partitioning would break) or when the
    brokers refuse to create one, and TransientError when Kafka is away.
    """
    admin: Any = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        missing = await _missing_topics(admin, settings, topics)
        return await _create(admin, settings, missing) if missing else []
    except KafkaError as error:
        away = f"Kafka at {settings.kafka_bootstrap_servers} is away: {error}"
        raise TransientError(await access_fault(settings) or away) from error
    finally:
        await admin.close()


async def _missing_topics(admin: Any, settings: Settings, topics: Sequence[Topic]) -> list[Topic]:
    # All of them are asked for: asking for one by name can create it, where a cluster allows that.
    described = await admin.describe_topics()
    found = {entry["topic"]: len(entry["partitions"]) for entry in described if entry["error_code"] == NoError.errno}
    found = {name: found[name] for name in map(settings.topic_name, topics) if name in found}
    _check_partitions(found, settings.topic_partitions)
    return [topic for topic in topics if settings.topic_name(topic) not in found]


def _check_partitions(found: dict[str, int], expected: int) -> None:
    for name, partitions in found.items():
        if partitions != expected:
            raise TopicError(
                f"topic {name} has {partitions} partitions, but TOPIC_PARTITIONS is {expected}: all topics must have "
                "the same number. Set TOPIC_PARTITIONS to it, or use another TOPIC_PREFIX"
            )


async def _create(admin: Any, settings: Settings, topics: list[Topic]) -> list[str]:
    new_topic: Any = NewTopic
    # Otherwise a single broker that is left could confirm what nobody else has.
    in_sync = {"min.insync.replicas": "2"} if settings.topic_replication >= REPLICAS_OF_TWO_IN_SYNC else {}
    wanted = [
        new_topic(
            settings.topic_name(topic),
            settings.topic_partitions,
            settings.topic_replication,
            topic_configs={**topic.config, **in_sync},
        )
        for topic in topics
    ]
    response = await admin.create_topics(wanted)
    created = []
    for name, code, *message in response.topic_errors:
        kind = for_code(code)
        if kind is NoError:
            created.append(name)
        elif kind is not TopicAlreadyExistsError:  # another process was quicker
            raise TopicError(f"Kafka refused to create topic {name}: {(message and message[0]) or kind.__name__}")
    await _wait_for_leaders(settings, [settings.topic_name(topic) for topic in topics])
    return created


async def _wait_for_leaders(settings: Settings, names: list[str]) -> None:
    """A broker knows of a partition before it leads it. A transaction that ends in between can be held up by the
    broker for its request timeout of 30 s."""
    async with AIOKafkaConsumer(**client_options(settings)) as consumer:
        # Asked of the leader of each partition, again and again until it answers.
        await consumer.end_offsets([TopicPartition(n, p) for n in names for p in range(settings.topic_partitions)])
