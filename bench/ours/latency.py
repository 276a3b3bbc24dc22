"""An open loop over HTTP: from the moment a request should be sent to its outcome being read from the topic."""

import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import cycle, islice

from bench.contest import Contender, Measured, Place
from bench.http_client import Driven, drive_at
from bench.ours.api import Api, running_api
from bench.ours.bodies import bodies_with_ids
from bench.ours.checking import check_all
from bench.ours.funding import fund_sources
from bench.ours.processes import workers
from bench.wallets import has_wallets, make_wallets
from bench.workloads import Workload
from ops.load.latency import Latencies
from ops.load.outcomes import outcome_watcher
from schemas.settings import Settings
from sinks.postgres.pool import connect

SECONDS = 15.0
WARM_UP_S = 20.0
"""The first requests find an API and workers that have never seen a wallet, and a broker whose JVM has not yet compiled
what it does all the time; that is another question."""

CONNECTIONS = 128
"""More than are ever busy, unless something stalls; and fewer than the requests one caller may have in progress."""

HEAD_START_S = 3.0
"""In which the client's process starts and connects."""

SETTLE_TIMEOUT_S = 30.0


def latency(rate: float, seconds: float = SECONDS) -> Contender:
    """A contender that sends ``rate`` requests a second; its further figures are the percentiles."""

    async def run(place: Place, workload: Workload) -> Measured:
        settings = place.settings
        async with AsyncExitStack() as stack:
            database = await connect(settings)
            stack.push_async_callback(database.close)
            if not await has_wallets(database):
                await make_wallets(database, workload.wallets)
            funded = await fund_sources(place, database, workload)
            await stack.enter_async_context(workers(place, place.workers))
            api = await stack.enter_async_context(running_api(place))
            pairs = cycle(workload.pairs())
            warm = await _load(settings, api, pairs, rate, WARM_UP_S)
            load = await _load(settings, api, pairs, rate, seconds)
            transfers = funded + warm.driven.accepted + load.driven.accepted
            await check_all(settings, transfers=transfers, settled=False)
        name = f"ours, HTTP at {rate:,.0f}/s"
        return Measured(name, workload.name, load.driven.accepted, load.driven.seconds, load.further())

    return run


@dataclass(frozen=True, slots=True)
class _Load:
    """``outcomes``: from when a request was due to its outcome; ``driven`` counts until the 202."""

    driven: Driven
    outcomes: Latencies

    def further(self) -> dict[str, float]:
        """The percentiles."""
        percentiles = self.outcomes.percentiles_s((0.5, 0.99, 0.999))
        return {
            **{f"{name.replace('.', '')}_ms": 1000 * value for name, value in percentiles.items() if value is not None},
            "accepted_p50_ms": self.driven.p50_ms,
            "accepted_p99_ms": self.driven.p99_ms,
        }


async def _load(
    settings: Settings, api: Api, pairs: Iterator[tuple[int, int, bool]], rate: float, seconds: float
) -> _Load:
    bodies = bodies_with_ids(islice(pairs, max(1, round(rate * seconds))))
    url = api.url("/v1/transfers")
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"}
    async with outcome_watcher(settings) as watcher:
        start_s = time.monotonic() + HEAD_START_S
        for index, transfer_id in enumerate(bodies):
            watcher.expect(transfer_id, start_s + index / rate)
        driven = await drive_at(
            url, list(bodies.values()), headers, rate=rate, start_s=start_s, connections=CONNECTIONS
        )
        if driven.refused:
            raise RuntimeError(f"at {rate:,.0f}/s: {driven.refused:,} of {len(bodies):,} requests were refused")
        if driven.late_s:
            raise RuntimeError(f"at {rate:,.0f}/s: the client was ready {driven.late_s:.1f} s too late")
        missing = await watcher.settle(SETTLE_TIMEOUT_S)
    if missing:
        raise RuntimeError(f"at {rate:,.0f}/s: {missing:,} of {len(bodies):,} without an outcome")
    return _Load(driven, watcher.latencies)
