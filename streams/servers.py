"""Waits for PostgreSQL and Kafka before the agents start, until they belong together, and says for what."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import structlog
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from schemas.settings import Settings
from schemas.topics import ALL_TOPICS
from sinks.errors import CannotFollowError, MigrationError, SinkError
from sinks.kafka.access import access_fault
from sinks.kafka.options import client_options
from sinks.postgres.access import explain_refusal
from sinks.postgres.migrate import known_migrations, migration_status
from sinks.postgres.migration_steps import schema_fault
from sinks.postgres.pool import connect
from sinks.postgres.retry import describe
from streams.catching_up import alone, catch_up
from streams.standing import standing_fault

DELAY_S_FIRST = 0.5
DELAY_S_MAX = 5.0
CONNECT_TIMEOUT_S = 5.0

_log = structlog.get_logger(__name__)


async def wait_for_servers(settings: Settings, *, ledger: bool) -> None:
    """Return once the database has a schema that we can work on and the cluster its topics, and, for whoever works on
    the ``ledger``, once what these hold belongs together.

    Until then every fault is logged, with what to do, and looked at again after 0.5 s to 5 s, for ever.
    """
    await _wait_until_sound(settings, database_fault)
    await _wait_until_sound(settings, cluster_fault)
    if ledger:
        await _wait_until_sound(settings, ledger_fault)


async def database_fault(settings: Settings) -> str | None:
    """What is wrong with the database, or None."""
    try:
        connection = await connect(settings)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        away = f"PostgreSQL at {settings.postgres_host}:{settings.postgres_port} is away ({describe(error)})"
        return explain_refusal(settings, error) or away
    try:
        status = await migration_status(connection, known_migrations())
    except (MigrationError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return f"the database is not as it should be ({describe(error)})"
    finally:
        connection.terminate()
    return schema_fault(status)


async def cluster_fault(settings: Settings) -> str | None:
    """What is wrong with the Kafka cluster, or None."""
    away = f"Kafka at {settings.kafka_bootstrap_servers} is away"
    if not await _any_listens(settings.kafka_bootstrap_servers):
        return away
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        there = set(await admin.list_topics())
    except (KafkaError, OSError) as error:
        return await access_fault(settings) or f"{away} ({describe(error)})"
    finally:
        await admin.close()
    missing = [name for topic in ALL_TOPICS if (name := settings.topic_name(topic)) not in there]
    return f"topics are missing ({', '.join(missing)}): run hfts topics" if missing else None


async def ledger_fault(settings: Settings) -> str | None:
    """Why the ledger and the topics do not belong together, or None. A ledger that lacks what was told catches up."""
    try:
        connection = await connect(settings)
        try:
            fault, is_behind = await standing_fault(settings, connection)
        finally:
            connection.terminate()
        if is_behind:
            async with alone(settings) as connection:
                # Another may have caught up meanwhile and work already, and our doing so would shut it out.
                fault, is_behind = await standing_fault(settings, connection)
                if is_behind:
                    _log.warning("ledger.caught_up", rows=await catch_up(settings))
    except CannotFollowError as error:
        return f"the ledger lacks outcomes that were told, and cannot catch up: {error}. See docs/runbook.md"
    except (SinkError, KafkaError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return f"the ledger and the topics cannot be compared ({describe(error)})"
    return fault


async def _wait_until_sound(settings: Settings, check: Callable[[Settings], Awaitable[str | None]]) -> None:
    delay_s = DELAY_S_FIRST
    while (fault := await check(settings)) is not None:
        _log.warning("worker.waiting", fault=fault)
        await asyncio.sleep(delay_s)
        delay_s = min(2 * delay_s, DELAY_S_MAX)


async def _any_listens(servers: str) -> bool:
    """Asked first because aiokafka logs every attempt as an error."""
    for server in servers.split(","):
        host, _, port = server.rpartition(":")
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), CONNECT_TIMEOUT_S)
        except (OSError, TimeoutError):
            continue
        writer.close()
        return True
    return False
