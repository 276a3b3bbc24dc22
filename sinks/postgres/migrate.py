"""Numbered SQL migrations, applied in order under an advisory lock, each in a transaction of its own."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from sinks.errors import MigrationError

_FOLDER = Path(__file__).parent / "migrations"
_FILE_NAME = re.compile(r"(\d{4})_(\w+)\.up\.sql")
_LOCK_KEY = 0x68667473  # "hfts" in ASCII

_CREATE_TABLE = """
create table if not exists schema_migrations (
    version integer primary key,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default now()
)"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step: the SQL that takes it and the SQL that takes it back."""

    version: int
    name: str
    up_sql: str
    down_sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the upward SQL, kept with the database to notice edits of what has run."""
        return hashlib.sha256(self.up_sql.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """A migration and whether the database has it."""

    version: int
    name: str
    applied: bool


def known_migrations(folder: Path = _FOLDER) -> list[Migration]:
    """All migrations in order of version. Raises MigrationError for a gap or a missing downward file."""
    found = []
    for path in sorted(folder.glob("*.up.sql")):
        match = _FILE_NAME.fullmatch(path.name)
        down = path.with_name(path.name.replace(".up.sql", ".down.sql"))
        if match is None or not down.exists():
            raise MigrationError(f"{path.name} needs a name like 0001_name.up.sql and a 0001_name.down.sql beside it")
        found.append(Migration(int(match[1]), match[2], path.read_text(), down.read_text()))
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise MigrationError("migrations must be numbered 0001, 0002, … without a gap")
    return found


async def migrate_up(connection: asyncpg.Connection, migrations: list[Migration]) -> list[Migration]:
    """Apply what is missing and return it. Raises MigrationError when the database has another history."""
    async with _locked(connection):
        applied = await _applied_versions(connection, migrations)
        missing = migrations[len(applied) :]
        for migration in missing:
            async with connection.transaction():
                await connection.execute(migration.up_sql)
                await connection.execute(
                    "insert into schema_migrations (version, name, checksum) values ($1, $2, $3)",
                    migration.version,
                    migration.name,
                    migration.checksum,
                )
        return missing


async def migrate_down(connection: asyncpg.Connection, migrations: list[Migration], to: int) -> list[Migration]:
    """Take back every migration above version ``to``, newest first, and return them."""
    async with _locked(connection):
        applied = await _applied_versions(connection, migrations)
        undone = [migration for migration in reversed(migrations[: len(applied)]) if migration.version > to]
        for migration in undone:
            async with connection.transaction():
                await connection.execute(migration.down_sql)
                await connection.execute("delete from schema_migrations where version = $1", migration.version)
        return undone


async def migration_status(connection: asyncpg.Connection, migrations: list[Migration]) -> list[MigrationStatus]:
    """Each known migration and whether it has been applied. Writes nothing."""
    if await connection.fetchval("select to_regclass('schema_migrations')") is None:
        applied: list[int] = []
    else:
        applied = await _applied_versions(connection, migrations)
    return [MigrationStatus(m.version, m.name, m.version in applied) for m in migrations]


class _locked:  # noqa: N801 (read as a verb: async with _locked(connection))
    """Only one process migrates at a time; the others wait. The lock ends with the connection at the latest."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def __aenter__(self) -> None:
        # A migration may take longer than any ordinary statement, and so may the wait for another's.
        await self._connection.execute("set lock_timeout = 0")
        await self._connection.execute("select pg_advisory_lock($1)", _LOCK_KEY, timeout=600)
        await self._connection.execute(_CREATE_TABLE)

    async def __aexit__(self, *_: object) -> None:
        await self._connection.execute("select pg_advisory_unlock($1)", _LOCK_KEY)


async def _applied_versions(connection: asyncpg.Connection, migrations: list[Migration]) -> list[int]:
    rows = await connection.fetch("select version, name, checksum from schema_migrations order by version")
    if len(rows) > len(migrations):
        raise MigrationError("the database is newer than this program: install the version that migrated it")
    for row, migration in zip(rows, migrations, strict=False):
        if (row["version"], row["checksum"]) != (migration.version, migration.checksum):
            raise MigrationError(
                f"migration {row['version']:04d}_{row['name']} was changed after it ran: restore its file"
            )
    return [row["version"] for row in rows]
