"""The doctor on a real PostgreSQL: each mistake is made, and found."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from doctor_findings import bad, examined
from pydantic import SecretStr

from ops.doctor.finding import Verdict
from ops.embedded.database import connect_superuser
from ops.embedded.stack import Stack
from schemas.settings import Settings
from schemas.topics import ALL_TOPICS


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


async def test_workers_of_another_version(database_settings: Settings, connection: asyncpg.Connection) -> None:
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
