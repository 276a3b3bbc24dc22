"""The same rows brought into the same tables by COPY, and the same changes of wallets, with nothing to decide.

What can be made beforehand is made beforehand. What is left, PostgreSQL has to do whoever decides the transfers.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence

import asyncpg

from bench.contest import Measured, Place
from bench.ground import check_ledger, prepared_ground
from bench.limits.copy_batches import COLUMNS, Batch, prepare
from bench.ours.storage import stored
from bench.usage import cpu_all_s
from bench.workloads import Workload
from sinks.postgres.pool import connect

BATCH_RECORDS = 4_000
"""About what a step of the pipeline takes when much is waiting."""

CONNECTIONS = (1, 2)

_CHANGE = """
update wallets as w set balance = w.balance + u.units, version = w.version + u.legs, updated_at = now()
from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as u (wallet_id, units, legs)
where w.wallet_id = u.wallet_id
"""

# Two connections would deadlock if each took its wallets in an order of its own.
_CHANGE_IN_ORDER = """
with locked as (
    select wallet_id from wallets where wallet_id = any($1::uuid[]) order by wallet_id for no key update
)
update wallets as w set balance = w.balance + u.units, version = w.version + u.legs, updated_at = now()
from locked join unnest($1::uuid[], $2::bigint[], $3::bigint[]) as u (wallet_id, units, legs) using (wallet_id)
where w.wallet_id = locked.wallet_id
"""


async def copy(place: Place, workload: Workload, *, batch_records: int = BATCH_RECORDS) -> Measured:
    """Half of the workload over one connection, then half over two; the better counts.

    Raises RuntimeError when the database does not hold what it should.
    """
    async with prepared_ground(place.settings, workload) as database:
        batches = await prepare(database, workload, batch_records)
        middle = (len(batches) + 1) // 2
        parts = zip(CONNECTIONS, (batches[:middle], batches[middle:]), strict=True)
        runs = [await _run(place, database, part, connections) for connections, part in parts if part]
        rows = (await stored(database)).rows
        if rows != workload.count:
            raise RuntimeError(f"{workload.count:,} rows were copied, {rows:,} are there")
        await check_ledger(database)
    best = max(runs, key=lambda run: run[0] / run[1])
    return Measured("limit: COPY and one update a batch", workload.name, *best)


async def _run(
    place: Place, database: asyncpg.Connection, batches: Sequence[Batch], connections: int
) -> tuple[int, float, dict[str, float]]:
    before, used_s = await stored(database), cpu_all_s([place.postgres_pid])
    opened = [await connect(place.settings) for _ in range(connections)]
    change, waiting = _CHANGE if connections == 1 else _CHANGE_IN_ORDER, iter(batches)
    try:
        for connection in opened:
            await connection.prepare(change)
        began_s = time.perf_counter()
        await asyncio.gather(*(_copy_all(connection, change, waiting) for connection in opened))
        seconds = time.perf_counter() - began_s
    finally:
        for connection in opened:
            await connection.close()
    used_s = cpu_all_s([place.postgres_pid]) - used_s
    after = await stored(database)
    rows = after.rows - before.rows
    further = {
        "connections": float(connections),
        "postgres_cpu_us": 1e6 * used_s / rows,
        "wal_bytes": (after.wal_bytes - before.wal_bytes) / rows,
    }
    return rows, seconds, further


async def _copy_all(connection: asyncpg.Connection, change: str, batches: Iterator[Batch]) -> None:
    for batch in batches:  # shared: whoever is free takes the next
        async with connection.transaction():
            await connection.copy_to_table("transfers", source=_whole(batch.copied), columns=COLUMNS, format="binary")
            await connection.execute(change, batch.wallets, batch.units, batch.legs)


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content
