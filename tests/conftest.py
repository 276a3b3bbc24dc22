"""Embedded servers for the tests that ask for them: one PostgreSQL and one Kafka broker a run, a database and
topics of its own for each test."""

import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from ops.embedded.plan import StackOptions
from ops.embedded.stack import Stack
from schemas.settings import Settings
from sinks.kafka.topics import ensure_topics
from sinks.postgres.migrate import known_migrations, migrate_up
from sinks.postgres.pool import connect, create_pool

TEMPLATE = "hfts_template"
PARAMETER_CHARS_MAX = 30
TEST_PARTITIONS = 3

# Brokers live for seconds or minutes here: optimising what they run takes longer than it saves.
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Long parameters, which may have random ids in them, go by their name: test processes compare these names."""
    is_long = isinstance(val, str | bytes) and len(val) > PARAMETER_CHARS_MAX
    return argname if is_long else None


@pytest.fixture(scope="session")
async def stack() -> AsyncIterator[Stack]:
    """The servers, with an empty database."""
    # Not tmp_path: PostgreSQL, which does not run as root, must be able to pass through.
    folder = Path(tempfile.mkdtemp(prefix="hfts-test-"))
    stack = Stack(folder, StackOptions(partitions=TEST_PARTITIONS, small=True))
    try:
        await stack.start()
        yield stack
    finally:
        for part in stack.parts.rows():
            # A broker with hundreds of topics takes half a minute to end in order, for a folder that nobody needs.
            if part.name.startswith("kafka") and part.pid is not None:
                os.kill(part.pid, signal.SIGKILL)
        await stack.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
async def template(stack: Stack) -> str:
    """The name of a migrated database to clone."""
    settings = stack.settings()
    await _create_database(settings, TEMPLATE)
    connection = await connect(settings.model_copy(update={"postgres_db": TEMPLATE}))
    try:
        await migrate_up(connection, known_migrations())
    finally:
        await connection.close()  # a database in use cannot be cloned
    return TEMPLATE


@asynccontextmanager
async def cloned_database(stack: Stack, template: str) -> AsyncIterator[Settings]:
    """Settings with a migrated database and a topic prefix that nobody else has."""
    unique = uuid.uuid4().hex[:12]
    settings = stack.settings().model_copy(update={"postgres_db": f"test_{unique}", "topic_prefix": f"test-{unique}."})
    await _create_database(settings, settings.postgres_db, template)
    yield settings
    await _drop_database(settings, settings.postgres_db)


@pytest.fixture
async def database_settings(stack: Stack, template: str) -> AsyncIterator[Settings]:
    """Settings with a migrated database of the test's own; no topics are made, but the prefix is the test's own."""
    async with cloned_database(stack, template) as settings:
        yield settings


@pytest.fixture
async def settings(database_settings: Settings) -> Settings:
    """Settings with a migrated database and with topics of the test's own (three partitions)."""
    await ensure_topics(database_settings)
    return database_settings


@pytest.fixture
async def connection(database_settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the test's database."""
    connection = await connect(database_settings)
    yield connection
    await connection.close()


@pytest.fixture
async def pool(database_settings: Settings) -> AsyncIterator[asyncpg.Pool]:
    """Up to eight connections to the test's database."""
    pool = await create_pool(database_settings, size_max=8)
    yield pool
    await pool.close()


async def _create_database(settings: Settings, name: str, template: str = "template0") -> None:
    await _execute(settings, f'create database "{name}" template "{template}" strategy file_copy')


async def _drop_database(settings: Settings, name: str) -> None:
    # Not "with (force)", which is refused when it finds an autovacuum worker there, a superuser's process. Without it,
    # PostgreSQL ends those itself, and waits for 5 s until everybody has left.
    await _execute(
        settings,
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename = current_user",
        name,
    )
    await _execute(settings, f'drop database "{name}"')


async def _execute(settings: Settings, statement: str, *arguments: str) -> None:
    connection = await connect(settings.model_copy(update={"postgres_db": "postgres"}))
    try:
        await connection.execute(statement, *arguments)
    finally:
        await connection.close()
