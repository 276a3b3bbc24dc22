import asyncio

import asyncpg
import pytest

from schemas.settings import Settings
from sinks.errors import MigrationError
from sinks.postgres.migrate import Migration, known_migrations, migrate_down, migrate_up, migration_status
from sinks.postgres.pool import connect


async def test_down_and_up_again(connection: asyncpg.Connection) -> None:
    migrations = known_migrations()
    assert all(status.applied for status in await migration_status(connection, migrations))
    assert await migrate_up(connection, migrations) == []
    undone = await migrate_down(connection, migrations, 0)
    assert undone == migrations[::-1]
    assert await connection.fetchval("select to_regclass('transfers')") is None
    assert not any(status.applied for status in await migration_status(connection, migrations))
    assert await migrate_up(connection, migrations) == migrations


async def test_two_processes_migrate_once(database_settings: Settings) -> None:
    migrations = known_migrations()
    one, other = await connect(database_settings), await connect(database_settings)
    await migrate_down(one, migrations, 0)
    results = await asyncio.gather(migrate_up(one, migrations), migrate_up(other, migrations))
    assert sorted(map(len, results)) == [0, len(migrations)]
    await asyncio.gather(one.close(), other.close())


async def test_an_edited_migration_is_noticed(connection: asyncpg.Connection) -> None:
    first, *others = known_migrations()
    edited = Migration(first.version, first.name, first.up_sql + "\n-- edited", first.down_sql)
    with pytest.raises(MigrationError, match="was changed after it ran"):
        await migrate_up(connection, [edited, *others])


async def test_an_older_program_leaves_a_newer_database_alone(connection: asyncpg.Connection) -> None:
    with pytest.raises(MigrationError, match="newer than this program"):
        await migrate_up(connection, known_migrations()[:-1])


async def test_a_failing_migration_leaves_no_trace(connection: asyncpg.Connection) -> None:
    known = known_migrations()
    broken = Migration(len(known) + 1, "broken", "create table t (); select 1 / 0;", "")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate_up(connection, [*known, broken])
    assert await connection.fetchval("select to_regclass('t')") is None
    assert await migrate_up(connection, known) == []
