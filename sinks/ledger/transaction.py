"""One attempt at a batch: lock, decide, write, all in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg
import orjson

from schemas.crash_points import CrashPoint
from sinks.crash import reach
from sinks.errors import ProgressMovedError, VersionConflictError
from sinks.ledger import statements
from sinks.ledger.types import Batch, Decide, Order, Transfer, WalletState
from sinks.postgres.pool import Connection


async def write_orders(
    connection: Connection,
    *,
    topic: str,
    batches: Sequence[Batch],
    orders: Sequence[Order],
    decide: Decide,
    now: datetime,
) -> list[Transfer]:
    """Decide ``orders`` (those of the batches that are new), store them and move the progress over all the batches.

    Raises VersionConflictError or ProgressMovedError, with everything rolled back, and asyncpg's errors.
    """
    async with connection.transaction():
        read = await _lock_wallets(connection, orders) if orders else {}
        transfers, changed = decide(orders, read, now)
        [counts] = await connection.fetch(
            statements.WRITE_BATCHES,
            *_wallet_columns(read, changed),
            *_transfer_columns(transfers),
            topic,
            now,
            *_progress_columns(batches),
        )
        if counts["partitions_moved"] != len(batches):
            raise ProgressMovedError(f"{topic}: a partition is not where it was left: {_ranges(batches)}")
        if counts["wallets_changed"] != len(changed):
            raise VersionConflictError(f"{topic}: a wallet changed since it was read")
        reach(CrashPoint.BEFORE_COMMIT)
    return transfers


async def stored_transfers(connection: Connection, orders: Sequence[Order]) -> dict[str, Transfer]:
    """The rows that exist under the orders' ids, by id."""
    ids = [order.request.transfer_id for order in orders]
    rows = await connection.fetch(statements.STORED_TRANSFERS, ids)
    return {row["transfer_id"]: _transfer_of(row) for row in rows}


async def _lock_wallets(connection: Connection, orders: Sequence[Order]) -> dict[str, WalletState]:
    ids = {order.request.source_wallet_id for order in orders}
    ids.update(order.request.destination_wallet_id for order in orders)
    rows = await connection.fetch(statements.LOCK_WALLETS, list(ids))
    return {
        wallet_id: WalletState(currency, is_world, is_active, units, version)
        for wallet_id, is_world, is_active, currency, units, version in rows
    }


def _wallet_columns(read: Mapping[str, WalletState], changed: Mapping[str, WalletState]) -> tuple[list[object], ...]:
    return (
        list(changed),
        [state.units for state in changed.values()],
        [state.version for state in changed.values()],
        [read[wallet_id].version for wallet_id in changed],
    )


def _transfer_columns(transfers: list[Transfer]) -> tuple[list[object], ...]:
    return (
        [t.transfer_id for t in transfers],
        [t.source_wallet_id for t in transfers],
        [t.destination_wallet_id for t in transfers],
        [t.units for t in transfers],
        [t.currency for t in transfers],
        [t.reason for t in transfers],
        [t.source_units for t in transfers],
        [t.source_version for t in transfers],
        [t.destination_units for t in transfers],
        [t.destination_version for t in transfers],
        [t.requested_at for t in transfers],
        [t.reference for t in transfers],
        [None if t.metadata is None else orjson.dumps(t.metadata).decode() for t in transfers],
        [t.request_partition for t in transfers],
        [t.request_offset for t in transfers],
    )


def _progress_columns(batches: Sequence[Batch]) -> tuple[list[int], ...]:
    return (
        [batch.partition for batch in batches],
        [batch.first_offset for batch in batches],
        [batch.next_offset for batch in batches],
    )


def _ranges(batches: Sequence[Batch]) -> str:
    return ", ".join(f"{batch.partition}[{batch.first_offset}:{batch.next_offset}]" for batch in batches)


def _transfer_of(row: asyncpg.Record) -> Transfer:
    columns = dict(row)
    if columns["metadata"] is not None:
        columns["metadata"] = orjson.loads(columns["metadata"])
    return Transfer(**columns)
