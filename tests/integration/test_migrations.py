import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg
import pytest
from pydantic import SecretStr

from ops.embedded.stack import Stack
from schemas.settings import Settings
from sinks.directory.database import Database
from sinks.errors import MigrationError
from sinks.postgres import migrate
from sinks.postgres.application_name import application_name
from sinks.postgres.migrate import known_migrations, migrate_down, migrate_up, migration_status
from sinks.postgres.migration_files import NO_TRANSACTION, Migration, Step
from sinks.postgres.pool import connect, connection_options
from streams.servers import database_fault

Connect = Callable[..., AbstractAsyncContextManager[asyncpg.Connection]]


def next_migration(up_sql: str, down_sql: str = "", step: Step = Step.PRE, after: int = 0) -> Migration:
    """One that comes after those of this program, or after as many more."""
    return Migration(len(known_migrations()) + 1 + after, "next", up_sql, down_sql, step)


def drop_reference(after: int = 0) -> Migration:
    return next_migration(
        "alter table transfers drop column reference cascade", "select 'it is lost'", Step.POST, after
    )


@pytest.fixture
def another(database_settings: Settings) -> Connect:
    """Opens connections of other processes, as ours or with another name."""

    @asynccontextmanager
    async def opened(name: str | None = None) -> AsyncIterator[asyncpg.Connection]:
        options = connection_options(database_settings)
        if name is not None:
            options["server_settings"]["application_name"] = name
        connection = await asyncpg.connect(**options)
        try:
            yield connection
        finally:
            await connection.close()

    return opened


async def eventually(holds: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(60):
        while not await holds():  # noqa: ASYNC110 (the server tells nobody)
            await asyncio.sleep(0.02)


async def test_down_and_up_again(connection: asyncpg.Connection) -> None:
    migrations = known_migrations()
    assert all(status.applied for status in await migration_status(connection, migrations))
    assert await migrate_up(connection, migrations) == []
    undone = await migrate_down(connection, migrations, 0)
    assert undone == migrations[::-1]
    assert await connection.fetchval("select to_regclass('transfers')") is None
    assert not any(status.applied for status in await migration_status(connection, migrations))
    assert await migrate_up(connection, migrations, Step.PRE) == migrations, "an empty database gets them all"


async def test_two_processes_migrate_once(another: Connect) -> None:
    """With an index that is built while others write: it waits for every statement that runs, those of the other
    process among them."""
    index = next_migration(
        f"{NO_TRANSACTION}\ncreate index concurrently if not exists later on transfers (completed_at)",
        "drop index concurrently if exists later",
    )
    migrations = [*known_migrations(), index]
    async with another() as one, another() as other:
        await migrate_down(one, known_migrations(), 0)
        results = await asyncio.gather(migrate_up(one, migrations), migrate_up(other, migrations))
        assert sorted(map(len, results)) == [0, len(migrations)]
        assert await migrate_down(other, migrations, index.version - 1) == [index]
        assert await one.fetchval("select to_regclass('later')") is None


async def test_whoever_migrates_for_too_long_is_not_waited_for(
    another: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "TURN_TIMEOUT_S", 0.0)
    async with another() as one, another() as other:
        await one.execute("select pg_advisory_lock($1)", migrate._LOCK_KEY)
        with pytest.raises(MigrationError, match="another process is migrating"):
            await migrate_up(other, known_migrations())


async def test_an_edited_migration_is_noticed(connection: asyncpg.Connection) -> None:
    first, *others = known_migrations()
    edited = Migration(first.version, first.name, first.up_sql + "\n-- edited", first.down_sql)
    with pytest.raises(MigrationError, match="was changed after it ran"):
        await migrate_up(connection, [edited, *others])


async def test_an_older_program_leaves_a_newer_database_alone(connection: asyncpg.Connection) -> None:
    older = known_migrations()[:-1]
    with pytest.raises(MigrationError, match="newer than this program"):
        await migrate_up(connection, older)
    with pytest.raises(MigrationError, match="newer than this program"):
        await migrate_down(connection, older, 0)
    [*_, unknown] = await migration_status(connection, older)
    assert (unknown.title, unknown.applied, unknown.known) == (known_migrations()[-1].title, True, False)


async def test_an_older_process_works_on_until_what_it_needs_is_dropped(
    database_settings: Settings, connection: asyncpg.Connection
) -> None:
    adds = next_migration("alter table wallets add column later text")
    drops = drop_reference(after=1)
    newer = [*known_migrations(), adds, drops]
    database = await Database.open(database_settings)
    assert await migrate_up(connection, newer, Step.PRE) == [adds]
    assert await database_fault(database_settings) is None
    await database.check_schema()
    await database.close()
    await eventually(lambda: is_alone(connection))
    assert await migrate_up(connection, newer, Step.POST) == [drops]
    fault = await database_fault(database_settings) or ""
    assert fault.endswith(f"has dropped what it needs ({drops.title}): install the version that migrated it")


async def is_alone(connection: asyncpg.Connection) -> bool:
    """Whether connections that were closed are gone for the server, too."""
    others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    return bool(await connection.fetchval(others) == 0)


@pytest.mark.parametrize("name", [application_name(len(known_migrations())), "hfts"])
async def test_what_an_older_version_needs_stays_while_one_is_connected(
    connection: asyncpg.Connection, another: Connect, name: str
) -> None:
    drops = drop_reference()
    newer = [*known_migrations(), drops]
    async with another(name):
        for step in (Step.POST, None):
            with pytest.raises(MigrationError, match=r"programs of one are connected \(pid \d+ from "):
                await migrate_up(connection, newer, step)
    await eventually(lambda: is_alone(connection))
    async with another(application_name(drops.version)), another("psql"):
        assert await migrate_up(connection, newer, Step.POST) == [drops]


async def test_processes_with_a_role_of_their_own_are_seen_too(
    stack: Stack, database_settings: Settings, connection: asyncpg.Connection
) -> None:
    password = "made up for this"
    superuser = await asyncpg.connect(
        host="127.0.0.1", port=stack.plan.postgres_port, user="postgres", password=stack.secrets.superuser_password
    )
    await superuser.execute(f"create role other_program login password '{password}'")
    process = await connect(
        database_settings.model_copy(
            update={"postgres_user": "other_program", "postgres_password": SecretStr(password)}
        )
    )
    with pytest.raises(MigrationError, match="programs of one are connected"):
        await migrate_up(connection, [*known_migrations(), drop_reference()])
    await process.close()
    await superuser.execute("drop role other_program")
    await superuser.close()


async def test_a_failing_migration_leaves_no_trace(connection: asyncpg.Connection) -> None:
    known = known_migrations()
    broken = next_migration("create table t (); select 1 / 0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate_up(connection, [*known, broken])
    assert await connection.fetchval("select to_regclass('t')") is None
    assert await migrate_up(connection, known) == []


async def test_an_index_that_could_not_be_built_is_built_the_next_time(connection: asyncpg.Connection) -> None:
    """What PostgreSQL leaves behind has the index's name and is of no use."""
    index = next_migration(
        f"{NO_TRANSACTION}\ncreate unique index concurrently if not exists once on users (role)",
        "drop index concurrently if exists once",
    )
    migrations = [*known_migrations(), index]
    for name in ("ada", "bob"):
        await connection.execute("insert into users (email, password_hash) values ($1, 'none')", name)
    with pytest.raises(asyncpg.UniqueViolationError):
        await migrate_up(connection, migrations)
    is_valid = "select indisvalid from pg_index where indexrelid = to_regclass('once')"
    assert await connection.fetchval(is_valid) is False
    await connection.execute("delete from users where email = 'bob'")
    assert await migrate_up(connection, migrations) == [index]
    assert await connection.fetchval(is_valid) is True


async def test_who_waits_for_a_lock_lets_others_go_by(
    connection: asyncpg.Connection, another: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "200ms")
    waiting = (
        "select count(*) from pg_locks where not granted and mode = 'AccessExclusiveLock'"
        " and relation = 'wallets'::regclass"
    )
    adds = next_migration("alter table wallets add column later text")
    async with another() as report, another() as reader:
        reading = report.transaction()
        await reading.start()
        await report.execute("select from wallets")
        migrating = asyncio.create_task(migrate_up(connection, [*known_migrations(), adds]))
        await eventually(lambda: reader.fetchval(waiting))
        await reader.execute("select from wallets")  # behind it in the queue
        assert not migrating.done()
        await reading.rollback()
        assert await migrating == [adds]


async def test_who_never_gets_a_lock_gives_up_and_says_so(
    connection: asyncpg.Connection, another: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "1ms")
    monkeypatch.setattr(migrate, "LOCK_PAUSE_S_FIRST", 0.0)
    monkeypatch.setattr(migrate, "LOCK_TRIES_MAX", 2)
    adds = next_migration("create table later (); alter table wallets add column later text")
    async with another() as report, report.transaction():
        await report.execute("select from wallets")
        with pytest.raises(MigrationError, match=r"did not get its locks in 2 attempts.* pg_stat_activity"):
            await migrate_up(connection, [*known_migrations(), adds])
    assert await connection.fetchval("select to_regclass('later')") is None


async def test_a_database_from_before_there_were_steps(
    database_settings: Settings, connection: asyncpg.Connection
) -> None:
    await connection.execute("alter table schema_migrations drop column step")
    assert await database_fault(database_settings) is None, "a process of the new version may come first"
    assert await migrate_up(connection, known_migrations()) == []
    steps = await connection.fetch("select step from schema_migrations")
    assert [row["step"] for row in steps] == ["pre"] * len(known_migrations())
