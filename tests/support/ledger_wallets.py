"""Wallets and batches for tests of the ledger."""

from collections.abc import Sequence
from typing import Any

import asyncpg
from builders import new_id

from sinks.ledger.types import Batch, Order


async def make_wallet(pool: asyncpg.Pool, units: int = 0, currency: str = "USD", status: str = "active") -> str:
    user_id: object = await pool.fetchval(
        "insert into users (email, password_hash) values ($1, '') returning user_id", f"{new_id()}@example.com"
    )
    wallet_id: str = await pool.fetchval(
        """insert into wallets (user_id, currency, balance, status) values ($1, $2, $3::bigint * 0.0001, $4)
        returning wallet_id::text""",
        user_id,
        currency,
        units,
        status,
    )
    return wallet_id


def batch(orders: Sequence[Order], first: int | None = None, end: int | None = None) -> Batch:
    return Batch(
        partition=orders[0].partition,
        first_offset=orders[0].offset if first is None else first,
        next_offset=orders[-1].offset + 1 if end is None else end,
        orders=orders,
    )


async def wallet(pool: asyncpg.Pool, wallet_id: str) -> tuple[int, int]:
    """Its balance in units and its version."""
    row: Any = await pool.fetchrow(
        "select (balance * 10000)::bigint, version from wallets where wallet_id = $1", wallet_id
    )
    return tuple(row)
