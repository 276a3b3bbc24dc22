"""Transfers of the past, brought in by the million in a moment: as if they had gone through, to the last version.

Pairs of wallets pay each other back and forth. The rows carry on from each wallet's own balance and version, so every
invariant of the ledger holds; they never stood on a topic, so they alone have no outcome records.
"""

import asyncpg

STATEMENT_TIMEOUT_S = 3600.0
ROWS_A_STATEMENT = 1_000_000

# Indexes are made again afterwards, from their own definitions: keeping up random ones takes ten times as long.
_INDEXES = """
select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
from pg_index
where indrelid = 'transfers'::regclass and not indisprimary
order by 1
"""

_PAIRS = """
create temporary table history_pairs on commit preserve rows as
select a.wallet_id as a, b.wallet_id as b, a.balance as a_balance, a.version as a_version,
       b.balance as b_balance, b.version as b_version, number
from generate_series(0, $1::bigint / 2 - 1) as number
join wallets a on a.wallet_id = md5('wallet-' || 2 * number)::uuid
join wallets b on b.wallet_id = md5('wallet-' || 2 * number + 1)::uuid
where a.balance > 1 and b.balance > 1
"""

# Even rounds pay from a to b, odd ones back. Request offsets lie below 0, where no topic begins.
_ROWS = """
insert into transfers (
    transfer_id, source_wallet_id, destination_wallet_id, amount, currency, status, source_balance, source_version,
    destination_balance, destination_version, requested_at, completed_at, request_partition, request_offset
)
select uuidv7(), s.source, s.destination, 1, $3, 'COMPLETED', s.source_balance, s.source_version,
       s.destination_balance, s.destination_version, now(), now(), 0, $4 - (round - $1) * $5 - ordinal
from generate_series($1::bigint, $2::bigint - 1) as round
cross join lateral (
    select row_number() over () as ordinal,
           case when even then a else b end as source, case when even then b else a end as destination,
           case when even then a_balance - 1 else b_balance end as source_balance,
           case when even then a_version else b_version end + round + 1 as source_version,
           case when even then b_balance + 1 else a_balance end as destination_balance,
           case when even then b_version else a_version end + round + 1 as destination_version
    from history_pairs, (select round % 2 = 0 as even) as side
) as s
"""

_MOVE_ON = """
update wallets as w set version = w.version + $1
from (select a as wallet_id from history_pairs union all select b from history_pairs) as moved
where w.wallet_id = moved.wallet_id
"""


async def add_history(database: asyncpg.Connection, *, wallets: int, rows: int, currency: str, below: int) -> int:
    """Add about ``rows`` transfers between those of the first ``wallets`` wallets that hold money; how many it made.

    ``below``: all history so far has request offsets from here up. No worker may run meanwhile.
    """
    await database.execute("drop table if exists history_pairs")
    await database.execute(_PAIRS.replace("$1::bigint", str(int(wallets))), timeout=STATEMENT_TIMEOUT_S)
    pairs = int(await database.fetchval("select count(*) from history_pairs"))
    rounds = 2 * max(1, round(rows / pairs / 2))
    indexes = await database.fetch(_INDEXES)
    async with database.transaction():
        await database.execute("set local idle_in_transaction_session_timeout = 0")
        await database.execute("set local maintenance_work_mem = '512MB'")
        for index in indexes:
            await database.execute(f"drop index {index['name']}")
        step = max(1, ROWS_A_STATEMENT // pairs)
        for first in range(0, rounds, step):
            last = min(rounds, first + step)
            arguments = (first, last, currency, below - 1 - first * pairs, pairs)
            await database.execute(_ROWS, *arguments, timeout=STATEMENT_TIMEOUT_S)
        for index in indexes:
            await database.execute(index["definition"], timeout=STATEMENT_TIMEOUT_S)
        await database.execute(_MOVE_ON, rounds, timeout=STATEMENT_TIMEOUT_S)
    await database.execute("vacuum analyze transfers, wallets", timeout=STATEMENT_TIMEOUT_S)
    return rounds * pairs
