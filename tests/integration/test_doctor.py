"""The doctor on real servers: the whole of it, addresses and settings."""

import socket
from typing import Any

import asyncpg
import orjson
import pytest
from doctor_findings import bad, examined
from pydantic import SecretStr
from workers import run_hfts

from ops.doctor.finding import Verdict
from ops.lag.reader import admin_client
from schemas.settings import Settings


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


async def test_a_port_that_is_taken(database_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.doctor.facts.port.ASK_TIMEOUT_S", 0.1)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        found = await examined(database_settings.model_copy(update={"api_port": port}))
    assert found["api-port"][0].verdict is Verdict.PROBLEM
    assert f"127.0.0.1:{port}" in found["api-port"][0].seen


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
