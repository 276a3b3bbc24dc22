"""Whether the rate falls as transfers pile up: slices through the real pipeline, with bulk history in between."""

from contextlib import AsyncExitStack
from dataclasses import replace

from bench.contest import Contender, Measured, Place
from bench.ours.checking import check_all
from bench.ours.drain import measure
from bench.ours.funding import fund_sources
from bench.ours.history import STATEMENT_TIMEOUT_S, add_history
from bench.ours.processes import workers
from bench.ours.requests import RequestWriter
from bench.wallets import CURRENCY, has_wallets, make_wallets
from bench.workloads import Workload
from sinks.postgres.pool import connect

MILLIONS = (0, 1, 2, 5, 10, 20)
WARM_UP_COUNT = 20_000
"""Transfers before each slice: workers fill their memory and the server its buffers."""


def growth(millions: tuple[float, ...] = MILLIONS, warm_up: int = WARM_UP_COUNT) -> Contender:
    """A contender that measures ``workload.count`` transfers each time so many millions are stored.

    Its rate is that of the last slice; ``per_s_at_…m`` are all of them.
    """

    async def run(place: Place, workload: Workload) -> Measured:
        settings, rates, history, drained = place.settings, dict[str, float](), 0, 0
        async with AsyncExitStack() as stack:
            database = await connect(settings)
            stack.push_async_callback(database.close)
            if not await has_wallets(database):
                await make_wallets(database, workload.wallets)
            funded = await fund_sources(place, database, workload)
            writer = await stack.enter_async_context(RequestWriter(settings))
            slice_ = None
            for million in millions:
                missing = round(million * 1_000_000) - history - drained
                if missing > 0:
                    history += await add_history(
                        database, wallets=workload.wallets, rows=missing, currency=CURRENCY, below=-history
                    )
                    await database.execute("checkpoint", timeout=STATEMENT_TIMEOUT_S)
                async with workers(place, place.workers) as processes:
                    if warm_up:
                        pile = writer.pile(replace(workload, count=warm_up))
                        drained += (await measure(place, database, writer, pile, processes)).rows
                    slice_ = await measure(place, database, writer, writer.pile(workload), processes)
                drained += slice_.rows
                rates[f"per_s_at_{million:g}m"] = slice_.rows / slice_.seconds
            await check_all(settings, transfers=funded + drained, settled=False, history=history)
        if slice_ is None:
            raise RuntimeError("no slice was asked for")
        return Measured("ours, growth", workload.name, slice_.rows, slice_.seconds, {**slice_.further(), **rates})

    return run
