"""The doctor on a real Kafka: each mistake is made, and found."""

import time
from collections.abc import Mapping
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic, RecordsToDelete
from doctor_findings import examined
from plain_topics import put_records

from ops.doctor.checks.kafka import INTERNAL
from ops.doctor.facts.kafka import read_kafka
from ops.doctor.finding import Verdict
from ops.lag.reader import admin_client
from schemas.settings import Settings
from schemas.topics import ALL_TOPICS, NOTIFICATIONS, TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED
from sinks.kafka.options import client_options
from sinks.kafka.records import Record

HOUR_MS = 3600 * 1000
OF_BROKERS = (
    *(setting for _, setting, _ in INTERNAL),
    "group.min.session.timeout.ms",
    "group.max.session.timeout.ms",
    "offsets.retention.minutes",
    "transactional.id.expiration.ms",
    "transaction.max.timeout.ms",
)
OF_TOPICS = (*TRANSFERS_REQUESTED.config, "min.insync.replicas", "unclean.leader.election.enable", "retention.bytes")


async def test_the_servers_know_the_settings_that_are_looked_at(settings: Settings) -> None:
    facts = await read_kafka(settings)
    assert isinstance(facts.broker_values, dict)
    assert isinstance(facts.topic_values, dict)
    for values in facts.broker_values.values():
        assert set(OF_BROKERS) <= set(values)
    for values in facts.topic_values.values():
        assert set(OF_TOPICS) <= set(values)


async def test_one_of_several_addresses_is_wrong(settings: Settings) -> None:
    servers = f"nobody.invalid:1,{settings.kafka_bootstrap_servers}"
    found = await examined(settings.model_copy(update={"kafka_bootstrap_servers": servers}))
    assert found["kafka-access"][0].verdict is Verdict.WARNING
    assert found["topics"][0].verdict is Verdict.OK


async def make_topics(settings: Settings, changes: Mapping[str, dict[str, str]], partitions: Mapping[str, int]) -> None:
    """As `hfts topics` would, with other settings for some and other numbers of partitions."""
    new_topic: Any = NewTopic
    async with admin_client(settings) as admin:
        response = await admin.create_topics(
            [
                new_topic(
                    settings.topic_name(topic),
                    partitions.get(topic.name, settings.topic_partitions),
                    1,
                    topic_configs={**topic.config, **changes.get(topic.name, {})},
                )
                for topic in ALL_TOPICS
            ]
        )
    assert {code for _, code, *_ in response.topic_errors} == {0}


async def test_topics_that_were_made_by_hand(database_settings: Settings) -> None:
    changes = {
        "transfers.requested": {"retention.ms": str(HOUR_MS), "message.timestamp.type": "CreateTime"},
        "transfers.outcomes": {"retention.ms": str(HOUR_MS)},
        "notifications": {"cleanup.policy": "compact", "retention.bytes": "1000000"},
        "audit": {"unclean.leader.election.enable": "true"},
        "transfers.dead-letter": {"max.message.bytes": "1048588"},
    }
    await make_topics(database_settings, changes, {"audit": 5})
    prefix = database_settings.topic_prefix
    async with AIOKafkaProducer(**client_options(database_settings)) as producer:
        soon_ms = int(time.time() * 1000) + HOUR_MS // 2
        await producer.send_and_wait(prefix + "transfers.requested", b"{}", partition=0, timestamp_ms=soon_ms)
    found = await examined(database_settings)
    assert f"{prefix}audit has 5" in found["topic-partitions"][0].seen
    assert [finding.seen.removeprefix(prefix) for finding in found["topic-retention"]] == [
        "transfers.requested: retention.ms is 3600000, 0.0417 days",
        "transfers.outcomes: retention.ms is 3600000, 0.0417 days",
        "notifications: cleanup.policy is compact",
        "notifications: retention.bytes is 1000000",
    ]
    assert found["topic-leaders"][0].command.endswith("unclean.leader.election.enable=false")
    assert found["topic-record-size"][0].command.endswith("max.message.bytes=8388608")
    assert found["topic-timestamps"][0].command.endswith("message.timestamp.type=LogAppendTime")
    assert "in the future" in found["kafka-clock"][0].seen


async def test_another_number_of_partitions(settings: Settings) -> None:
    found = await examined(settings.model_copy(update={"topic_partitions": 12}))
    assert found["topic-partitions"][0].command == "TOPIC_PARTITIONS=3"


async def test_more_replicas_than_brokers(database_settings: Settings) -> None:
    found = await examined(database_settings.model_copy(update={"topic_replication": 3}))
    assert found["kafka-brokers"][0].seen == "TOPIC_REPLICATION is 3, and there is 1 broker"


async def test_topics_that_were_lost(settings: Settings, connection: asyncpg.Connection) -> None:
    for topic in (TRANSFERS_REQUESTED, NOTIFICATIONS):
        await connection.execute("insert into stream_progress values ($1, 1, 1200)", settings.topic_name(topic))
    requests, notifications = (await examined(settings))["progress"]
    assert "partition 1 ends at 0, applied up to 1,200" in requests.seen
    assert settings.topic_name(NOTIFICATIONS) in notifications.seen


async def test_a_database_that_is_another(settings: Settings) -> None:
    outcome = Record(b"k", b"{}", [("source-offset", b"7")])
    await put_records(settings, settings.topic_name(TRANSFERS_REQUESTED), 2, [Record(b"k", b"{}", [])] * 8)
    await put_records(settings, settings.topic_name(TRANSFERS_OUTCOMES), 2, [outcome])
    [found] = (await examined(settings))["progress"]
    assert "on partitions 2 stand outcomes" in found.seen


async def test_requests_that_expired_unapplied(settings: Settings, connection: asyncpg.Connection) -> None:
    requests = settings.topic_name(TRANSFERS_REQUESTED)
    await put_records(settings, requests, 0, [Record(b"k", b"{}", [])] * 5)
    await connection.execute("insert into stream_progress values ($1, 0, 1)", requests)
    async with admin_client(settings) as admin:
        await admin.delete_records({TopicPartition(requests, 0): RecordsToDelete(4)})
    [found] = (await examined(settings))["progress"]
    assert found.seen.startswith("3 requests on partitions 0 have expired")
