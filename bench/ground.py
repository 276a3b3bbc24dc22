"""Wallets with money in them for contenders other than our own, which gets its money through the topic."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from bench.ours.requests import FUNDS
from bench.wallets import has_wallets, make_wallets, wallet_id
from bench.workloads import Workload
from schemas.settings import Settings
from sinks.postgres.pool import connect

STATEMENT_TIMEOUT_S = 900.0
_TO_ALL = "update wallets set balance = $1 where kind = 'user'"
_TO_SOME = "update wallets set balance = $1 where kind = 'user' and wallet_id = any($2::uuid[])"


@asynccontextmanager
async def prepared_ground(
    settings: Settings, workload: Workload, *, everyone: bool = False
) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database with the workload's wallets and ``FUNDS`` in each that pays, or in each there is.

    What that leaves behind is cleared up, so that no run pays for it.
    """
    database = await connect(settings)
    try:
        if not await has_wallets(database):
            await make_wallets(database, workload.wallets)
        if everyone:
            await database.execute(_TO_ALL, FUNDS, timeout=STATEMENT_TIMEOUT_S)
        else:
            payers = [wallet_id(number) for number in {source for source, _, _ in workload.pairs()}]
            await database.execute(_TO_SOME, FUNDS, payers, timeout=STATEMENT_TIMEOUT_S)
        await database.execute("vacuum analyze wallets", timeout=STATEMENT_TIMEOUT_S)
        yield database
    finally:
        await database.close()


async def check_ledger(database: asyncpg.Connection) -> None:
    """Every completed transfer stands in two wallets' versions, and no money has come or gone since they were filled.

    Raises RuntimeError.
    """
    moved, versions = await database.fetchrow(_AGREEMENT, timeout=STATEMENT_TIMEOUT_S) or (0, -1)
    if 2 * moved != versions:
        raise RuntimeError(f"{moved:,} completed transfers, but the wallets have changed {versions:,} times")
    wrong = await database.fetchval(_WRONG_BALANCES, timeout=STATEMENT_TIMEOUT_S)
    if wrong:
        raise RuntimeError(f"{wrong:,} wallets do not hold what their last transfer left in them")


_AGREEMENT = """
select (select count(*) from transfers where status = 'COMPLETED'),
       (select coalesce(sum(version), 0)::bigint from wallets where kind = 'user')
"""

_WRONG_BALANCES = """
select count(*)
from wallets as w
join entries as e on e.wallet_id = w.wallet_id and e.version = w.version
where e.balance <> w.balance
"""
