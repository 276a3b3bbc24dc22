"""Money for those who will pay, through the topic like any other: the ledger then agrees with itself."""

from itertools import islice

import asyncpg

from bench.contest import Place
from bench.ours.processes import workers
from bench.ours.requests import FUNDS
from bench.wallets import CURRENCY, wallet_id
from bench.workloads import Workload
from ops.load.kafka_sender import kafka_sender
from ops.load.wallets import Fleet, fund, world_wallet
from schemas.money import UNITS_PER_ONE


async def fund_sources(place: Place, database: asyncpg.Connection, workload: Workload) -> int:
    """Give every wallet that the workload takes money from ``FUNDS``; how many there are.

    By a worker that is ended afterwards: the measured ones start without anything in memory. Raises RuntimeError and
    StalledError.
    """
    sources = list(dict.fromkeys(wallet_id(source) for source, _, _ in islice(workload.pairs(), workload.count)))
    fleet = Fleet(sources, await world_wallet(database, CURRENCY), CURRENCY)
    async with workers(place, 1), kafka_sender(place.settings) as sender:
        funded = await fund(sender, database, place.settings, fleet, FUNDS * UNITS_PER_ONE)
    # No measured run pays for what this one has left to be written.
    await database.execute("analyze wallets")
    return funded
