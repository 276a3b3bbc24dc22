"""One transaction: the rows of decided transfers, the wallets they change and the progress, together or not at all."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from schemas.crash_points import CrashPoint
from sinks.crash import reach
from sinks.errors import ProgressMovedError, VersionConflictError
from sinks.ledger import statements
from sinks.ledger.copy_rows import COLUMNS, encode_rows
from sinks.ledger.facts import Reader, read_facts
from sinks.ledger.types import ORDINARY, Batch, Decide, Order, Terms, Transfer, Verdict, WalletState
from sinks.postgres.pool import Connection

ROWS_TIMEOUT_S = 3600.0
"""For a statement that may have to read the whole ledger."""


async def lock_decide_and_write(
    connection: Connection,
    *,
    topic: str,
    batches: Sequence[Batch],
    orders: Sequence[Order],
    decide: Decide,
    now: datetime,
) -> list[Transfer]:
    """Decide ``orders`` (those of the batches that are new) on wallets that nobody else can change meanwhile.

    Raises what ``write`` raises.
    """
    async with connection.transaction():
        rows = await connection.fetch(statements.LOCK_WALLETS, list(wallets_of(orders))) if orders else []
        read = _states(rows)
        transfers, changed = decide(orders, read, now, await read_facts(connection, orders, read, now))
        await _write(connection, topic, batches, Verdict(transfers, changed, read, [], now))
    return transfers


async def write(connection: Connection, *, topic: str, batches: Sequence[Batch], verdict: Verdict) -> None:
    """Write what was decided on wallets that were not locked.

    Raises VersionConflictError or ProgressMovedError, with everything rolled back, and asyncpg's errors.
    """
    async with connection.transaction():
        await _write(connection, topic, batches, verdict)


async def read_wallets(connection: Reader, wallet_ids: Collection[str]) -> dict[str, WalletState]:
    """The wallets of these ids that exist, as they are committed."""
    return _states(await connection.fetch(statements.READ_WALLETS, wallet_ids))


async def stored_transfers(connection: Connection, orders: Sequence[Order]) -> dict[str, Transfer]:
    """The rows that exist under the orders' ids, by id."""
    ids = [order.request.transfer_id for order in orders]
    rows = await connection.fetch(statements.STORED_TRANSFERS, ids)
    return {row["transfer_id"]: transfer_of(row) for row in rows}


async def has_rows(connection: Connection, partitions: Collection[int], below: int) -> bool:
    """Whether any request of these partitions below an offset has a row. May take long if none has."""
    return bool(await connection.fetchval(statements.HAS_ROWS, partitions, below, timeout=ROWS_TIMEOUT_S))


def wallets_of(orders: Sequence[Order]) -> set[str]:
    """The ids of the wallets that orders name."""
    ids = {order.request.source_wallet_id for order in orders}
    ids.update([order.request.destination_wallet_id for order in orders])
    return ids


def transfer_of(row: asyncpg.Record) -> Transfer:
    """A row with the columns of ``stored_transfers.sql``."""
    columns = dict(row)
    if columns["metadata"] is not None:
        columns["metadata"] = orjson.loads(columns["metadata"])
    return Transfer(**columns)


async def _write(connection: Connection, topic: str, batches: Sequence[Batch], verdict: Verdict) -> None:
    read, changed = verdict.read, verdict.changed
    wallet_ids = sorted(changed)
    [counts] = await connection.fetch(
        statements.MOVE_ON,
        wallet_ids,
        [changed[wallet_id].units for wallet_id in wallet_ids],
        [changed[wallet_id].version for wallet_id in wallet_ids],
        [read[wallet_id].version for wallet_id in wallet_ids],
        verdict.decided_at,
        verdict.relied_on,
        [read[wallet_id].version for wallet_id in verdict.relied_on],
        topic,
        [batch.partition for batch in batches],
        [batch.first_offset for batch in batches],
        [batch.next_offset for batch in batches],
        _terms_read(read, wallet_ids),
        [read[wallet_id].terms.number for wallet_id in verdict.relied_on],
    )
    if counts["partitions_moved"] != len(batches):
        raise ProgressMovedError(f"{topic}: a partition is not where it was left: {_ranges(batches)}")
    if counts["wallets_changed"] != len(changed) or counts["wallets_unchanged"] != len(verdict.relied_on):
        raise VersionConflictError(f"{topic}: a wallet changed since it was read")
    if verdict.transfers:
        # Once the wallets are locked: rows of two workers with the same version of a wallet would wait for each other.
        rows: Any = encode_rows(verdict.transfers)  # asyncpg takes a buffer, which its types do not say
        await connection.copy_to_table("transfers", source=rows, columns=COLUMNS, format="binary")
    reach(CrashPoint.BEFORE_COMMIT)


def _terms_read(read: Mapping[str, WalletState], wallet_ids: Sequence[str]) -> list[int] | None:
    """The number of each wallet's terms; None when all of them are those that nearly every wallet has."""
    numbers = [read[wallet_id].terms.number for wallet_id in wallet_ids]
    return numbers if any(numbers) else None


def _states(rows: Sequence[asyncpg.Record]) -> dict[str, WalletState]:
    return {
        wallet_id: WalletState(
            currency, is_world, is_active, units, version, is_closed, ORDINARY if terms is None else _terms(*terms)
        )
        for wallet_id, is_world, is_active, is_closed, currency, units, version, terms in rows
    }


def _terms(number: int, is_hold: int, transfer_max: int | None, day_max: int | None) -> Terms:
    return Terms(number, bool(is_hold), transfer_max, day_max)


def _ranges(batches: Sequence[Batch]) -> str:
    return ", ".join(f"{batch.partition}[{batch.first_offset}:{batch.next_offset}]" for batch in batches)
