"""An open loop over HTTP: from the moment a request should be sent to its outcome being read from the topic."""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import cycle

from uuid_utils import uuid7

from bench.contest import Contender, Measured, Place
from bench.ours.api import Api, running_api
from bench.ours.checking import check_all
from bench.ours.funding import fund_sources
from bench.ours.processes import workers
from bench.ours.requests import AMOUNT
from bench.wallets import CURRENCY, has_wallets, make_wallets, wallet_id
from bench.workloads import Workload
from ops.load.http_sender import Login, Submission, api_client
from ops.load.open_loop import load_http
from ops.load.outcomes import outcome_watcher
from ops.load.report import LoadReport
from schemas.settings import Settings
from sinks.postgres.pool import connect

SECONDS = 15.0
WARM_UP_S = 3.0
"""The first requests find an API and workers that have never seen a wallet; that is another question."""


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
            report = await _load(settings, api, pairs, rate, seconds)
            await check_all(settings, transfers=funded + warm.accepted + report.accepted, settled=False)
        return _measured(report, workload)

    return run


async def _load(
    settings: Settings, api: Api, pairs: Iterator[tuple[int, int, bool]], rate: float, seconds: float
) -> LoadReport:
    def make(_index: int) -> tuple[Login, Submission]:
        source, destination, _ = next(pairs)
        return client.admin, Submission(str(uuid7()), wallet_id(source), wallet_id(destination), AMOUNT, CURRENCY)

    async with api_client(api.access) as client, outcome_watcher(settings) as watcher:
        report = await load_http(LoadReport("http", rate, seconds, 0), watcher, client, make)
    if not report.sound:
        raise RuntimeError(f"at {rate:,.0f}/s: {report.unanswered:,} without an outcome; errors: {report.errors}")
    return report


def _measured(report: LoadReport, workload: Workload) -> Measured:
    percentiles = report.latencies.percentiles_s((0.5, 0.99, 0.999))
    further = {f"{name.replace('.', '')}_ms": 1000 * value for name, value in percentiles.items() if value is not None}
    name = f"ours, HTTP at {report.rate:,.0f}/s"
    return Measured(name, workload.name, report.accepted, report.took_s, further)
