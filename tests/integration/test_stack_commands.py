"""The parts one by one, as in production: commands configured by the environment alone."""

import os
import subprocess
import sys
from collections.abc import Callable

import asyncpg
import pytest

from ops.embedded.environment import variables
from ops.embedded.stack import Stack
from schemas.settings import Settings
from schemas.topics import EVERY_TOPIC
from sinks.kafka.topics import TopicError, ensure_topics
from sinks.passwords import verify_password

Hfts = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def hfts(stack: Stack, database_settings: Settings) -> Hfts:
    """Runs a command on the test's own database and topics; keyword arguments are more variables."""
    known = {**variables(database_settings, stack.secrets), "TOPIC_PREFIX": database_settings.topic_prefix}

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ops", *arguments]
        environment = {**os.environ, **known, **more}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    return run


def test_migrations_go_down_and_up(hfts: Hfts) -> None:
    assert hfts("migrate").stdout == "the database is up to date\n"
    assert "took back 0001_ledger" in hfts("migrate", "down", "--to", "0").stdout
    assert "0001_ledger  pre  missing" in hfts("migrate", "status").stdout
    assert "applied 0001_ledger" in hfts("migrate", "up", "--step", "pre").stdout
    assert "0001_ledger  pre  applied" in hfts("migrate", "status").stdout


def test_topics_are_created_once(hfts: Hfts, database_settings: Settings) -> None:
    names = [database_settings.topic_name(topic) for topic in EVERY_TOPIC]
    assert sorted(hfts("topics").stdout.split()) == sorted([*names, *(["created"] * len(names))])
    assert hfts("topics").stdout == "all topics exist\n"


def test_another_number_of_partitions_is_refused(hfts: Hfts) -> None:
    hfts("topics")
    result = hfts("topics", TOPIC_PARTITIONS="5")
    assert result.returncode == 1
    assert "has 3 partitions, but TOPIC_PARTITIONS is 5" in result.stderr
    assert len(result.stderr.splitlines()) == 1


async def test_more_replicas_than_brokers_are_refused(database_settings: Settings) -> None:
    with pytest.raises(TopicError, match="Kafka refused to create topic"):
        await ensure_topics(database_settings.model_copy(update={"topic_replication": 3}))


async def test_the_admin_is_made_and_updated(hfts: Hfts, connection: asyncpg.Connection) -> None:
    first = {"ADMIN_EMAIL": "Root@Example.com", "ADMIN_PASSWORD": "a long password"}
    assert hfts("create-admin", **first).returncode == 0
    assert "already" in hfts("create-admin", **first).stdout
    await connection.execute("update users set role = 'user', status = 'disabled'")
    assert await connection.fetchval("select session_epoch from users") == 0
    assert hfts("create-admin", **{**first, "ADMIN_PASSWORD": "another password"}).returncode == 0
    assert await connection.fetchval("select session_epoch from users") == 1  # ends every login
    (row,) = await connection.fetch("select * from users")
    assert (row["email"], row["role"], row["status"]) == ("root@example.com", "admin", "active")
    assert verify_password("another password", row["password_hash"])


async def test_an_operator_is_made(hfts: Hfts, connection: asyncpg.Connection) -> None:
    operator = {"ADMIN_EMAIL": "ops@example.com", "ADMIN_PASSWORD": "a long password"}
    assert hfts("create-admin", "--role", "ops", **operator).stdout == "ops@example.com is an operator\n"
    assert "already" in hfts("create-admin", "--role", "ops", **operator).stdout
    assert await connection.fetchval("select role from users") == "ops"
    assert hfts("create-admin", "--role", "root", **operator).returncode == 2
    assert hfts("create-admin", **operator).stdout == "ops@example.com is an admin\n"
    assert await connection.fetchval("select role from users") == "admin"


@pytest.mark.parametrize(
    ("email", "password", "cause"),
    [
        ("no address", "a long password", "ADMIN_EMAIL"),
        ("a@example.com", "short", "ADMIN_PASSWORD"),
        ("", "", "set"),
        ("a@example.com", "passwordpassword", "commonly used"),
    ],
)
def test_a_bad_admin_is_refused(hfts: Hfts, email: str, password: str, cause: str) -> None:
    result = hfts("create-admin", ADMIN_EMAIL=email, ADMIN_PASSWORD=password)
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    assert cause in result.stderr


def test_config_masks_secrets(hfts: Hfts, database_settings: Settings) -> None:
    older = "an older secret that was long enough"
    result = hfts("config", COLUMNS="200", SECRET_KEYS_PREVIOUS=older)
    assert older not in result.stdout
    assert database_settings.postgres_db in result.stdout
    assert database_settings.postgres_password.get_secret_value() not in result.stdout
    assert database_settings.secret_key.get_secret_value() not in result.stdout


def test_servers_that_are_away_are_one_line(hfts: Hfts) -> None:
    for arguments in (["topics"], ["migrate"]):
        result = hfts(*arguments, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", POSTGRES_PORT="1")
        assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
        assert "127.0.0.1:1" in result.stderr
