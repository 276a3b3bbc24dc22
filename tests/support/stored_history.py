"""Transfers in the ledger's tables without the pipeline, for what reads them."""

from collections.abc import Iterable

import asyncpg
import msgspec

from sinks.directory.transfers import TransferRow

_INSERT = """
insert into transfers (transfer_id, source_wallet_id, destination_wallet_id, amount, currency, status, reason,
    source_balance, source_version, destination_balance, destination_version, requested_at, completed_at, reference,
    metadata, request_partition, request_offset)
values ($1, $2, $3, $4::text::numeric, $5, $6, $7, $8::text::numeric, $9, $10::text::numeric, $11, $12, $13, $14,
    $15, 0, $16)
"""

SEED = """
insert into transfers (transfer_id, source_wallet_id, destination_wallet_id, amount, currency, status, source_balance,
    source_version, destination_balance, destination_version, requested_at, completed_at, reference, metadata,
    request_partition, request_offset)
select gen_random_uuid(), $1, $2, 1, 'USD', 'COMPLETED', $3::int - n, n, n, n,
    timestamptz '2026-01-01Z' + n * interval '1 second', timestamptz '2026-01-01Z' + n * interval '1 second',
    case n % 10 when 0 then 'number ' || n when 1 then 'often' end,
    case when n % 10 = 0 then jsonb_build_object('order', n::text, 'kind', 'usual') end, 0, n
from generate_series(1, $3::int) as n
"""
"""So many transfers from one wallet to another, one each second."""

SEED_FAILED = """
insert into transfers (transfer_id, source_wallet_id, destination_wallet_id, amount, currency, status, reason,
    requested_at, completed_at, request_partition, request_offset)
select gen_random_uuid(), $1, $2, 1, 'USD', 'FAILED', 'insufficient_funds', timestamptz '2026-01-01Z',
    timestamptz '2026-01-01Z' + n * interval '1 second', 1, n
from generate_series(1, $3::int) as n
"""

SET_WALLET = "update wallets set version = $2, balance = $3 where wallet_id = $1"


async def store(connection: asyncpg.Connection, rows: Iterable[TransferRow]) -> None:
    """Put these rows into the ledger, as they are."""
    values = [
        (
            row.transfer_id,
            row.source_wallet_id,
            row.destination_wallet_id,
            row.amount,
            row.currency,
            row.status,
            row.reason,
            row.source_balance,
            row.source_version,
            row.destination_balance,
            row.destination_version,
            row.requested_at,
            row.completed_at,
            row.reference,
            None if row.metadata is None else msgspec.json.encode(row.metadata).decode(),
            number,
        )
        for number, row in enumerate(rows)
    ]
    await connection.executemany(_INSERT, values)
