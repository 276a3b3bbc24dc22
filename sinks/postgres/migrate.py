"""Numbered SQL migrations, applied in order by one process at a time, so that those who use the tables hardly notice.

A statement that waits for a lock holds up everybody who comes after it. So a migration waits for two seconds at most,
lets the queue go by, and tries again.
"""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import structlog

from sinks.errors import MigrationError
from sinks.postgres.application_name import schema_version_of
from sinks.postgres.migration_files import Migration, Step, read_migrations, statements_of
from sinks.postgres.migration_steps import Applied, MigrationStatus, due, require_known, status_of
from sinks.postgres.retry import describe

LOCK_TIMEOUT = "2s"
"""How long traffic may be held up by one attempt. Above PostgreSQL's ``deadlock_timeout`` of one second, after which an
autovacuum gives way to us."""

LOCK_TRIES_MAX = 60
LOCK_PAUSE_S_FIRST = 0.5
LOCK_PAUSE_S_MAX = 5.0

STATEMENT_TIMEOUT_S = 24 * 3600.0
"""An index over a large table takes its time."""

TURN_TIMEOUT_S = 600.0
TURN_POLL_S = 0.2

_FOLDER = Path(__file__).parent / "migrations"
_LOCK_KEY = 0x68667473  # "hfts" in ASCII

_CREATE_TABLE = """
create table if not exists schema_migrations (
    version integer primary key,
    name text not null,
    checksum text not null,
    step text not null default 'pre' check (step in ('pre', 'post')),
    applied_at timestamptz not null default now()
)"""

# Databases from before there were steps have none. A look first: the statement would lock the table even so.
_HAS_STEP = """
select exists (select from pg_attribute where attrelid = 'schema_migrations'::regclass and attname = 'step')"""
_ADD_STEP = """
alter table schema_migrations
add column if not exists step text not null default 'pre' check (step in ('pre', 'post'))"""

_APPLIED = """
select version, name, checksum, coalesce(to_jsonb(m) ->> 'step', 'pre') as step from schema_migrations m
order by version"""

_NOTE = "insert into schema_migrations (version, name, checksum, step) values ($1, $2, $3, $4)"
_FORGET = "delete from schema_migrations where version = $1"

_OTHERS = """
select pid, application_name, coalesce(host(client_addr), 'this machine') as host from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() order by pid"""

_log = structlog.get_logger(__name__)


def known_migrations() -> list[Migration]:
    """The migrations of this program in order. Raises MigrationError when their files do not fit together."""
    return read_migrations(_FOLDER)


async def migrate_up(
    connection: asyncpg.Connection, migrations: list[Migration], step: Step | None = None
) -> list[Migration]:
    """Apply what is missing, of one step or of both, and return it.

    Raises MigrationError when the database has another history, when another step comes first, when a process of an
    older version is still connected and a ``post`` migration is due, or when a table stays locked; what was applied
    before that stays applied.
    """
    async with _turn(connection):
        missing = due(migrations, await migration_status(connection, migrations), step)
        for migration in missing:
            if migration.step is Step.POST:
                await _refuse_before_older_ones_have_left(connection, migration)
            if not migration.is_transaction:
                # What an attempt that was cut off has left behind, such as an invalid index, is taken away first.
                await _run(connection, migration, migration.down_sql)
            note = (_NOTE, migration.version, migration.name, migration.checksum, migration.step)
            await _run(connection, migration, migration.up_sql, *note)
        return missing


async def migrate_down(connection: asyncpg.Connection, migrations: list[Migration], to: int) -> list[Migration]:
    """Take back every migration above version ``to``, newest first, and return them. Raises MigrationError."""
    async with _turn(connection):
        status = await migration_status(connection, migrations)
        require_known(status)
        applied = sum(each.applied for each in status)
        undone = migrations[to:applied][::-1]
        for migration in undone:
            await _run(connection, migration, migration.down_sql, _FORGET, migration.version)
        return undone


async def migration_status(connection: asyncpg.Connection, migrations: list[Migration]) -> list[MigrationStatus]:
    """Each migration that is known here or in the database. Writes nothing. Raises MigrationError for a changed one."""
    if await connection.fetchval("select to_regclass('schema_migrations')") is None:
        return status_of(migrations, [])
    rows = await connection.fetch(_APPLIED)
    applied = [Applied(row["version"], row["name"], row["checksum"], Step(row["step"])) for row in rows]
    return status_of(migrations, applied)


async def _run(connection: asyncpg.Connection, migration: Migration, sql: str, *note: Any) -> None:
    """Run a migration's SQL and the statement that notes it, together where both can be in one transaction."""
    if migration.is_transaction:
        await _in_transaction(connection, migration, sql, note)
        return
    # Nobody queues up behind what such a statement waits for.
    await connection.execute("set lock_timeout = 0")
    for statement in statements_of(sql):
        await connection.execute(statement, timeout=STATEMENT_TIMEOUT_S)
    if note:
        await connection.execute(*note)


async def _in_transaction(
    connection: asyncpg.Connection, migration: Migration, sql: str, note: tuple[Any, ...]
) -> None:
    pause_s = LOCK_PAUSE_S_FIRST
    for _ in range(LOCK_TRIES_MAX):
        try:
            async with connection.transaction():
                await connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
                await connection.execute(sql, timeout=STATEMENT_TIMEOUT_S)
                await connection.execute(*note)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as error:
            _log.warning("migration.locked_out", migration=migration.title, error=describe(error), again_in_s=pause_s)
            await asyncio.sleep(pause_s)  # traffic that has queued up goes by
            pause_s = min(2 * pause_s, LOCK_PAUSE_S_MAX)
        else:
            return
    raise MigrationError(
        f"{migration.title} did not get its locks in {LOCK_TRIES_MAX} attempts, and has changed nothing: some "
        "transaction holds the table for long (see pg_stat_activity). End it, or try again later"
    )


async def _refuse_before_older_ones_have_left(connection: asyncpg.Connection, migration: Migration) -> None:
    older = [
        f"pid {row['pid']} from {row['host']}"
        for row in await connection.fetch(_OTHERS)
        if (version := schema_version_of(row["application_name"])) is not None and version < migration.version
    ]
    if older:
        raise MigrationError(
            f"{migration.title} takes away what an older version needs, and programs of one are connected "
            f"({', '.join(older)}): replace or stop them, and run this again"
        )


class _turn:  # noqa: N801 (read as a noun: async with _turn(connection))
    """Only one process migrates at a time; the others wait. The lock ends with the connection at the latest."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def __aenter__(self) -> None:
        connection = self._connection
        # Asked for again and again: a statement that waited for it would hold a snapshot, for whose end `create index
        # concurrently` waits, so that both would wait for each other.
        try:
            async with asyncio.timeout(TURN_TIMEOUT_S):
                while not await connection.fetchval("select pg_try_advisory_lock($1)", _LOCK_KEY):  # noqa: ASYNC110 (another process)
                    await asyncio.sleep(TURN_POLL_S)
        except TimeoutError:
            raise MigrationError("another process is migrating and does not come to its end; see it first") from None
        await connection.execute(_CREATE_TABLE)
        if not await connection.fetchval(_HAS_STEP):
            await connection.execute(_ADD_STEP)

    async def __aexit__(self, *_: object) -> None:
        await self._connection.execute("select pg_advisory_unlock($1)", _LOCK_KEY)
