"""How the brokers keep what they are given: replicas of each partition, and how many of them must have a record."""

from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from schemas.settings import Settings
from sinks.kafka.options import client_options

MIN_INSYNC = "min.insync.replicas"


@dataclass(frozen=True, slots=True)
class Replication:
    """Of a topic: replicas and in-sync replicas of its worst partition, and the fewest that must confirm a record."""

    replicas: int
    in_sync: int
    min_insync: int


async def replications(settings: Settings) -> dict[str, Replication]:
    """Every topic's, Kafka's own among them. Raises KafkaError."""
    admin: Any = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        topics = {one["topic"]: one["partitions"] for one in await admin.describe_topics()}
        asked = [ConfigResource(ConfigResourceType.TOPIC, name, {MIN_INSYNC: None}) for name in topics]
        least: dict[str, int] = {}
        for response in await admin.describe_configs(asked):
            for _, _, _, name, entries in response.resources:
                least[name] = int(next(entry[1] for entry in entries if entry[0] == MIN_INSYNC))
    finally:
        await admin.close()
    return {
        name: Replication(
            min(len(one["replicas"]) for one in partitions), min(len(one["isr"]) for one in partitions), least[name]
        )
        for name, partitions in topics.items()
    }


async def group_members(settings: Settings, group: str) -> int:
    """How many consumers the group counts on. Raises KafkaError."""
    admin: Any = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        [response] = await admin.describe_consumer_groups([settings.topic_prefix + group])
    finally:
        await admin.close()
    [[_error, _group, _state, _kind, _protocol, members, *_]] = response.groups
    return len(members)


async def is_whole(settings: Settings) -> bool:
    """Whether every replica of every partition is in sync."""
    try:
        return all(one.in_sync == one.replicas for one in (await replications(settings)).values())
    except (KafkaError, OSError):
        return False
