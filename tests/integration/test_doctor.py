"""The doctor on real servers: each mistake is made, and found."""

import socket
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic, RecordsToDelete
from doctor_findings import examined
from plain_topics import put_records
from pydantic import SecretStr
from workers import run_hfts

from ops.doctor.checks.kafka import INTERNAL
from ops.doctor.facts.kafka import read_kafka
from ops.doctor.finding import Finding, Verdict
from ops.embedded.database import connect_superuser
from ops.embedded.stack import Stack
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


def bad(found: Mapping[str, list[Finding]]) -> dict[str, Finding]:
    """The first warning or problem of each check that has one."""
    return {
        name: finding
        for name, findings in found.items()
        for finding in findings[:1]
        if finding.verdict in (Verdict.WARNING, Verdict.PROBLEM)
    }


async def test_a_new_set_up_has_no_problem(settings: Settings) -> None:
    status, output = await run_hfts(settings, "doctor", "--json")
    report = orjson.loads(output)
    assert status == 0, output
    found = {finding["check"]: finding for finding in report["findings"]}
    not_ok = {name for name, finding in found.items() if finding["verdict"] != "ok"}
    depends = {"memory", "disk", "open-files", "worker-versions"}
    assert not_ok - depends == {"admin", "topic-replication", "workers"}
    assert "hfts worker --agents" in found["workers"]["command"]
    assert found["topic-replication"]["verdict"] == found["workers"]["verdict"] == "warning"


async def test_it_writes_nothing(settings: Settings, connection: asyncpg.Connection) -> None:
    await examined(settings)
    assert await connection.fetchval("select count(*) from stream_progress") == 0
    async with admin_client(settings) as admin:
        groups = {group for group, _ in await admin.list_consumer_groups()}
    assert not any(group.startswith(settings.topic_prefix) for group in groups)


async def test_the_servers_know_the_settings_that_are_looked_at(settings: Settings) -> None:
    facts = await read_kafka(settings)
    assert isinstance(facts.broker_values, dict)
    assert isinstance(facts.topic_values, dict)
    for values in facts.broker_values.values():
        assert set(OF_BROKERS) <= set(values)
    for values in facts.topic_values.values():
        assert set(OF_TOPICS) <= set(values)


async def test_nothing_at_these_addresses(database_settings: Settings) -> None:
    wrong = database_settings.model_copy(update={"postgres_port": 1, "kafka_bootstrap_servers": "127.0.0.1:1"})
    status, output = await run_hfts(wrong, "doctor")
    assert status == 1
    assert "PostgreSQL at 127.0.0.1:1 cannot be reached" in output
    assert "Kafka at 127.0.0.1:1 does not answer" in output
    assert "2 problems" in output


async def test_kafka_where_postgresql_is_and_the_other_way_round(
    database_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sinks.kafka.access.ANSWER_TIMEOUT_S", 0.5)
    monkeypatch.setattr("ops.doctor.facts.database.STEP_TIMEOUT_S", 0.5)
    settings = database_settings
    postgres, kafka = settings.postgres_port, settings.kafka_bootstrap_servers
    swapped = settings.model_copy(
        update={"postgres_port": int(kafka.rpartition(":")[2]), "kafka_bootstrap_servers": f"127.0.0.1:{postgres}"}
    )
    found = bad(await examined(swapped))
    assert found["postgres-access"].verdict is found["kafka-access"].verdict is Verdict.PROBLEM


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"postgres_password": SecretStr("wrong-and-secret")}, "refuses user hfts"),
        ({"postgres_db": "not_made"}, "has no database not_made"),
        ({"postgres_host": "nobody.invalid"}, "the host name nobody.invalid has no address here"),
        ({"kafka_bootstrap_servers": "nobody.invalid:1"}, "the host name nobody.invalid of nobody.invalid:1 has no"),
        ({"kafka_bootstrap_servers": "localhost"}, "write it as host:port"),
        ({"kafka_security_protocol": "SSL"}, "does not talk as KAFKA_SECURITY_PROTOCOL=SSL wants"),
    ],
)
async def test_doors_that_stay_closed(database_settings: Settings, change: dict[str, Any], seen: str) -> None:
    found = bad(await examined(database_settings.model_copy(update=change)))
    door = found["kafka-access" if any(name.startswith("kafka") for name in change) else "postgres-access"]
    assert door.verdict is Verdict.PROBLEM
    assert seen in door.seen
    assert "wrong-and-secret" not in str(found)


async def test_one_of_several_addresses_is_wrong(settings: Settings) -> None:
    servers = f"nobody.invalid:1,{settings.kafka_bootstrap_servers}"
    found = await examined(settings.model_copy(update={"kafka_bootstrap_servers": servers}))
    assert found["kafka-access"][0].verdict is Verdict.WARNING
    assert found["topics"][0].verdict is Verdict.OK


async def test_what_hfts_migrate_and_topics_have_not_made(database_settings: Settings) -> None:
    found = await examined(database_settings.model_copy(update={"postgres_db": "postgres"}))
    assert "0001_ledger" in found["migrations"][0].seen
    assert found["migrations"][0].command == "hfts migrate"
    assert found["append-only"][0].verdict is found["progress"][0].verdict is Verdict.NOT_CHECKED
    assert found["topics"][0].seen.count(",") == len(ALL_TOPICS) - 1
    assert found["topics"][0].command == "hfts topics"


async def test_tables_of_another_program(database_settings: Settings, connection: asyncpg.Connection) -> None:
    await connection.execute(
        "insert into schema_migrations (version, name, checksum, step) values (9999, 'later', '', 'post')"
    )
    newer = (await examined(database_settings))["migrations"][0]
    assert newer.verdict is Verdict.PROBLEM
    assert newer.seen.startswith("the database is newer than this program")


async def test_a_database_that_is_set_up_badly(database_settings: Settings, connection: asyncpg.Connection) -> None:
    name = database_settings.postgres_db
    await connection.execute("alter table transfers disable trigger transfers_append_only")
    await connection.execute(f'alter database "{name}" set synchronous_commit = off')
    await connection.execute(f'alter database "{name}" set default_transaction_read_only = on')
    await connection.execute(f'alter database "{name}" connection limit 5')
    found = bad(await examined(database_settings))
    assert found["append-only"].verdict is Verdict.PROBLEM
    assert found["postgres-durability"].seen == "synchronous_commit is off"
    assert found["postgres-writable"].seen == "default_transaction_read_only is on"
    assert found["postgres-connections"].seen == "PostgreSQL gives us 5 connections at most"


async def test_a_server_that_is_not_durable(stack: Stack, database_settings: Settings) -> None:
    superuser = await connect_superuser(stack.plan.postgres_port, stack.secrets.superuser_password)
    try:
        for name in ("fsync", "full_page_writes"):
            await superuser.execute(f"alter system set {name} = off")
        await reload(superuser, "off")
        found = (await examined(database_settings))["postgres-durability"]
    finally:
        for name in ("fsync", "full_page_writes"):
            await superuser.execute(f"alter system reset {name}")
        await reload(superuser, "on")
        await superuser.close()
    assert [finding.seen for finding in found] == ["fsync is off", "full_page_writes is off"]


async def reload(superuser: asyncpg.Connection, expected: str) -> None:
    """Have the configuration read again, and wait until a new session would see it."""
    await superuser.execute("select pg_reload_conf()")
    while await superuser.fetchval("select current_setting('full_page_writes')") != expected:
        pass


async def test_another_encoding(database_settings: Settings) -> None:
    name = f"latin_{uuid.uuid4().hex[:8]}"
    async with maintenance(database_settings) as connection:
        await connection.execute(
            f"create database {name} template template0 encoding 'LATIN1' locale_provider libc locale 'C'"
        )
        try:
            found = await examined(database_settings.model_copy(update={"postgres_db": name}))
        finally:
            await connection.execute(f"drop database {name} with (force)")
    assert found["postgres-encoding"][0].seen == "the database's encoding is LATIN1"


@asynccontextmanager
async def maintenance(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(
        host=settings.postgres_host,
        port=settings.postgres_port,
        user=settings.postgres_user,
        password=settings.postgres_password.get_secret_value(),
        database="postgres",
    )
    try:
        yield connection
    finally:
        await connection.close()


async def test_a_role_without_rights(stack: Stack, database_settings: Settings, connection: asyncpg.Connection) -> None:
    settings = database_settings
    role = f"doctor_{uuid.uuid4().hex[:8]}"
    superuser = await connect_superuser(stack.plan.postgres_port, stack.secrets.superuser_password)
    poor = settings.model_copy(update={"postgres_user": role, "postgres_password": SecretStr("poor")})
    try:
        await superuser.execute(f"create role {role} login password 'poor'")
        nothing = await examined(poor)
        await connection.execute(f"grant select, insert, update, delete on all tables in schema public to {role}")
        await connection.execute(f"revoke update, delete on transfers from {role}")
        await connection.execute(f"revoke insert, update, delete on schema_migrations from {role}")
        documented = await examined(poor)
        await connection.execute(f"revoke insert on transfers from {role}")
        lacking = await examined(poor)
        await superuser.close()
        superuser = await connect_superuser(
            stack.plan.postgres_port, stack.secrets.superuser_password, settings.postgres_db
        )
        await superuser.execute("revoke usage on schema public from public")
        blind = await examined(poor)
    finally:
        await superuser.execute(f"drop owned by {role}")
        await superuser.execute(f"drop role {role}")
        await superuser.close()
    assert "wallets: delete, insert, select, update" in nothing["table-rights"][0].seen
    assert nothing["migrations"][0].verdict is Verdict.NOT_CHECKED
    assert documented["table-rights"][0].verdict is Verdict.OK
    assert documented["migrations"][0].verdict is Verdict.OK
    assert lacking["table-rights"][0].command == f"grant insert on transfers to {role}"
    assert blind["table-rights"][0].command == f"grant usage on schema public to {role}"
    assert blind["migrations"][0].verdict is Verdict.NOT_CHECKED


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


async def test_a_port_that_is_taken(database_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.doctor.facts.port.ASK_TIMEOUT_S", 0.1)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        found = await examined(database_settings.model_copy(update={"api_port": port}))
    assert found["api-port"][0].verdict is Verdict.PROBLEM
    assert f"127.0.0.1:{port}" in found["api-port"][0].seen


async def test_workers_of_another_version(database_settings: Settings, connection: asyncpg.Connection) -> None:
    await connection.execute(
        """
        create table if not exists workers (
            worker_id text primary key, agents text[], host text, pid integer, version text, started_at timestamptz,
            seen_at timestamptz, memory_bytes bigint, assigned jsonb, figures jsonb)
        """
    )
    await connection.execute(
        """
        insert into workers
            (worker_id, agents, host, pid, version, started_at, seen_at, memory_bytes, assigned, figures)
        values ('w1', '{transfers}', 'there', 1, '9.9', now(), now() - interval '1 s', 1, '{}', '{}'),
               ('w2', '{transfers}', 'there', 2, '8.8', now(), now() - interval '1 min', 1, '{}', '{}')
        """
    )
    [found] = (await examined(database_settings))["worker-versions"]
    assert "w1 on there runs 9.9" in found.seen
    assert "8.8" not in found.seen


async def test_an_admin_and_a_guessable_key(database_settings: Settings, connection: asyncpg.Connection) -> None:
    await connection.execute("insert into users (email, password_hash, role) values ('a@example.com', 'x', 'admin')")
    guessable = database_settings.model_copy(update={"secret_key": SecretStr("change-me-change-me-change-me-please")})
    found = await examined(guessable)
    assert found["admin"][0].verdict is Verdict.OK
    assert found["secret-key"][0].verdict is Verdict.PROBLEM


async def test_a_setting_that_is_missing_does_not_hide_the_servers(settings: Settings) -> None:
    found = await examined(settings, SECRET_KEY="field required")
    assert found["settings"][0].verdict is Verdict.PROBLEM
    assert found["secret-key"][0].verdict is Verdict.NOT_CHECKED
    assert {found[name][0].verdict for name in ("migrations", "topics", "progress")} == {Verdict.OK}
