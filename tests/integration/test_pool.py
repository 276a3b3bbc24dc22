"""Connections borrowed from the pool."""

import asyncpg
import pytest
from prometheus_client import REGISTRY


async def test_giving_a_connection_back_costs_no_statement(pool: asyncpg.Pool, connection: asyncpg.Connection) -> None:
    async with pool.acquire() as borrowed:
        pid = borrowed.get_server_pid()
        await borrowed.execute("select 'the last statement'")
    last = await connection.fetchval("select query from pg_stat_activity where pid = $1", pid)
    assert last == "select 'the last statement'"


async def test_a_transaction_that_is_left_open_is_rolled_back(pool: asyncpg.Pool) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("create table left_open (); select * from nowhere")
    async with pool.acquire() as connection:
        assert not connection.is_in_transaction()
        assert await connection.fetchval("select to_regclass('left_open')") is None


async def test_open_connections_are_told(pool: asyncpg.Pool) -> None:
    def told() -> tuple[float | None, float | None]:
        used = REGISTRY.get_sample_value("hfts_pool_connections", {"state": "used"})
        return used, REGISTRY.get_sample_value("hfts_pool_connections", {"state": "idle"})

    assert told() == (0, 0)
    async with pool.acquire(), pool.acquire():
        assert told() == (2, 0)
    assert told() == (0, 2)
    await pool.close()
    assert told() == (0, 0)
