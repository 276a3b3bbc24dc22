"""PostgreSQL: whether it lets us in, how it is set up, and what the ledger's tables say."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import asyncpg

from ops.doctor.facts import statements
from ops.doctor.facts.attempt import NO_TIME_LEFT, SERVER_TIMEOUT_S, STEP_TIMEOUT_S, attempt
from ops.doctor.facts.names import NAME_TIMEOUT_S, name_fault
from ops.doctor.finding import Unknown
from schemas.settings import Settings
from sinks.errors import MigrationError, SinkError
from sinks.postgres.access import explain_refusal
from sinks.postgres.migrate import known_migrations, migration_status
from sinks.postgres.migration_files import Step
from sinks.postgres.migration_steps import schema_fault
from sinks.postgres.pool import Connection, connect
from sinks.postgres.retry import describe

CLOCK_LOOKS = 3

NOT_IN = Unknown("PostgreSQL must be reached first")
NO_TABLES = Unknown("the migrations must be applied first")


@dataclass(frozen=True, slots=True)
class DatabaseDoor:
    """Whether PostgreSQL lets us in: the fault and what to do about it, None and "" where it does."""

    settings: Settings
    fault: str | None = None
    remedy: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Server:
    """How PostgreSQL is set up. It has ``connections_max`` for all who are no superusers, of which ``connections`` are
    taken now, ``connections_ours`` by us; ``connections_limit`` is what role and database allow us."""

    version: int
    version_text: str
    durability: Mapping[str, str]
    is_read_only: bool
    in_recovery: bool
    encoding: str
    connections_max: int
    connections_limit: int
    connections: int
    connections_ours: int


@dataclass(frozen=True, slots=True)
class Clock:
    """By how many seconds another clock is ahead of this machine's, give or take ``error_s``."""

    ahead_s: float
    error_s: float


@dataclass(frozen=True, slots=True)
class Migrations:
    """Those that are missing, of both steps of a release, or why they do not fit the database at all."""

    missing: Sequence[str] = ()
    missing_post: Sequence[str] = ()
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Right:
    """What a role may not do with a table or view."""

    table: str
    privilege: str


@dataclass(frozen=True, slots=True)
class Rights:
    """Those that ``role`` does not have in ``schema``; ``may_use`` is whether it may look into it."""

    role: str
    schema: str
    may_use: bool
    missing: Sequence[Right] = ()


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker process that was seen of late."""

    worker_id: str
    host: str
    version: str


@dataclass(slots=True)
class DatabaseFacts:
    """Each is unknown until it has been read."""

    door: DatabaseDoor | Unknown = NO_TIME_LEFT
    server: Server | Unknown = NO_TIME_LEFT
    clock: Clock | Unknown = NO_TIME_LEFT
    migrations: Migrations | Unknown = NO_TIME_LEFT
    rights: Rights | Unknown = NO_TIME_LEFT
    is_append_only: bool | Unknown = NO_TIME_LEFT
    admins: int | Unknown = NO_TIME_LEFT
    workers: Sequence[Worker] | Unknown = NO_TIME_LEFT

    @classmethod
    def unknown(cls, why: Unknown) -> "DatabaseFacts":
        """None of them."""
        return cls(why, why, why, why, why, why, why, why)


async def read_database(settings: Settings) -> DatabaseFacts:
    """Everything about it, within 18 s."""
    opened = await _open(settings)
    if isinstance(opened, DatabaseDoor):
        facts = DatabaseFacts.unknown(NOT_IN)
        facts.door = opened
        return facts
    facts = DatabaseFacts(door=DatabaseDoor(settings))
    try:
        with suppress(TimeoutError):  # what was read by then is there
            async with asyncio.timeout(SERVER_TIMEOUT_S - NAME_TIMEOUT_S - STEP_TIMEOUT_S):
                await _fill(facts, opened, settings)
    finally:
        opened.terminate()
    return facts


async def _open(settings: Settings) -> asyncpg.Connection | DatabaseDoor:
    """A connection, or why there is none."""
    fault = await name_fault(settings.postgres_host)
    if fault is not None:
        return DatabaseDoor(
            settings,
            f"the host name {settings.postgres_host} has no address here ({fault})",
            "Set POSTGRES_HOST to a name or address that this machine knows. The services of Docker Compose have "
            "theirs inside its network only.",
        )
    try:
        async with asyncio.timeout(STEP_TIMEOUT_S):
            return await connect(settings)
    except SinkError as error:
        return DatabaseDoor(settings, str(error), "Mend the file, or the setting that names it.")
    except Exception as error:  # noqa: BLE001 (whatever it is, there is no connection)
        return explain_door(settings, error)


def explain_door(settings: Settings, error: Exception) -> DatabaseDoor:
    """Why PostgreSQL does not let us in, by the error of ``connect``."""
    server = f"{settings.postgres_host}:{settings.postgres_port}"
    by_hand = (
        f"psql --host {settings.postgres_host} --port {settings.postgres_port} "
        f"--username {settings.postgres_user} {settings.postgres_db}"
    )
    refusal = explain_refusal(settings, error)
    if refusal is not None:
        return DatabaseDoor(settings, refusal, "Mend the setting; by hand the same is tried by:", by_hand)
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return DatabaseDoor(
            settings,
            f"PostgreSQL at {server} has no database {settings.postgres_db}",
            "Set POSTGRES_DB, or make the database as a superuser, and then its tables with `hfts migrate`:",
            f"createdb --host {settings.postgres_host} --port {settings.postgres_port} --username postgres "
            f"--owner {settings.postgres_user} --encoding UTF8 --template template0 {settings.postgres_db}",
        )
    if isinstance(error, asyncpg.TooManyConnectionsError):
        return DatabaseDoor(
            settings,
            f"PostgreSQL at {server} has no connection left",
            "Find out who holds them (pg_stat_activity), or raise their number in psql and start PostgreSQL again:",
            "alter system set max_connections = 200",
        )
    if isinstance(error, asyncpg.PostgresError) and "startup parameter" in str(error):
        return DatabaseDoor(
            settings,
            f"what answers at {server} is a pooler, not PostgreSQL ({str(error).splitlines()[0]})",
            "Let POSTGRES_HOST and POSTGRES_PORT name PostgreSQL itself: we pool connections ourselves, and rely on "
            "settings, locks and prepared statements of a session.",
        )
    if isinstance(error, TimeoutError):
        return DatabaseDoor(
            settings,
            f"PostgreSQL at {server} does not answer within {STEP_TIMEOUT_S:g} s",
            "Something swallows the packets: check POSTGRES_HOST and POSTGRES_PORT, and the firewalls in between:",
            f"nc -vz -w 5 {settings.postgres_host} {settings.postgres_port}",
        )
    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else describe(error)
    return DatabaseDoor(
        settings,
        f"PostgreSQL at {server} cannot be reached ({reason})",
        "Start PostgreSQL, or set POSTGRES_HOST and POSTGRES_PORT to where it listens. By hand the same is tried by:",
        by_hand,
    )


async def _fill(facts: DatabaseFacts, connection: asyncpg.Connection, settings: Settings) -> None:
    facts.server = await attempt(_read_server(connection))
    facts.clock = await attempt(_read_clock(connection))
    schema = await attempt(connection.fetchrow(statements.SCHEMA))
    if isinstance(schema, Unknown) or schema is None:
        unknown = schema or NO_TABLES
        facts.migrations = schema or Migrations([one.title for one in known_migrations()])
        facts.rights = facts.is_append_only = facts.admins = facts.workers = unknown
        return
    role = settings.postgres_user
    if not schema["may_use"]:
        facts.rights = Rights(role, schema["schema"], may_use=False)
        hidden = Unknown(f"{role} may not look into the schema {schema['schema']}")
        facts.migrations = facts.is_append_only = facts.admins = facts.workers = hidden
        return
    facts.rights = await attempt(_read_rights(connection, role, schema["schema"]))
    facts.migrations = await attempt(_read_migrations(connection))
    facts.is_append_only = await attempt(_read_append_only(connection))
    facts.admins = await attempt(connection.fetchval(statements.ADMINS))
    facts.workers = await attempt(_read_workers(connection))


async def _read_server(connection: Connection) -> Server:
    row = await connection.fetchrow(statements.SERVER)
    assert row is not None  # noqa: S101 (it has no where)
    limits = [row[name] for name in ("connections_max", "role_limit", "database_limit") if row[name] >= 0]  # -1: none
    return Server(
        version=row["version"],
        version_text=row["version_text"],
        durability={name: row[name] for name in ("fsync", "full_page_writes", "synchronous_commit")},
        is_read_only=row["default_read_only"] == "on",
        in_recovery=row["in_recovery"],
        encoding=row["encoding"],
        connections_max=row["connections_max"],
        connections_limit=min(limits),
        connections=row["connections"],
        connections_ours=row["connections_ours"],
    )


async def _read_clock(connection: Connection) -> Clock:
    """Of several looks the one that took the shortest time."""
    looks = []
    for _ in range(CLOCK_LOOKS):
        begun_s = time.time()
        there_s = (await connection.fetchval("select clock_timestamp()")).timestamp()
        ended_s = time.time()
        looks.append(Clock(there_s - (begun_s + ended_s) / 2, (ended_s - begun_s) / 2))
    return min(looks, key=lambda look: look.error_s)


async def _read_migrations(connection: asyncpg.Connection) -> Migrations:
    try:
        status = await migration_status(connection, known_migrations())
    except MigrationError as error:
        return Migrations(fault=str(error))
    missing = {
        step: [one.title for one in status if not one.applied and one.step is step] for step in (Step.PRE, Step.POST)
    }
    fault = None if missing[Step.PRE] else schema_fault(status)
    return Migrations(missing[Step.PRE], missing[Step.POST], fault)


async def _read_rights(connection: Connection, role: str, schema: str) -> Rights:
    rows = await connection.fetch(statements.MISSING_RIGHTS)
    return Rights(role, schema, may_use=True, missing=[Right(row["name"], row["privilege"]) for row in rows])


async def _read_append_only(connection: Connection) -> bool | Unknown:
    if await connection.fetchval("select to_regclass('transfers')") is None:
        return NO_TABLES
    return bool(await connection.fetchval(statements.APPEND_ONLY))


async def _read_workers(connection: Connection) -> Sequence[Worker] | Unknown:
    if await connection.fetchval("select to_regclass('workers')") is None:
        return Unknown("this database keeps no list of workers")
    return [Worker(row["worker_id"], row["host"], row["version"]) for row in await connection.fetch(statements.WORKERS)]
