"""What `hfts load` does, from wallets to report."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from random import Random
from uuid import uuid4

from ops.load.access import ApiAccess
from ops.load.deposits import deposit_all
from ops.load.flood import Progress, flood
from ops.load.http_sender import Api, Submission, api_client, in_parallel
from ops.load.kafka_sender import Keyed, kafka_sender
from ops.load.open_loop import load_http, load_kafka
from ops.load.outcomes import outcome_watcher
from ops.load.report import FloodReport, LoadReport
from ops.load.requests import make_request, pair_picker
from ops.load.settling import calm_down
from ops.load.wallets import create_fleet, fund
from schemas.money import UNITS_PER_ONE, format_units
from schemas.settings import Settings
from sinks.postgres.pool import connect

CURRENCY = "USD"
FUNDS_UNITS = 1_000_000 * UNITS_PER_ONE
UNITS_MAX = 10 * UNITS_PER_ONE
"""Amounts are small against the funds, so that nearly every transfer completes."""


def _nothing() -> None:
    """Nothing waits for the start."""


async def run_kafka(
    settings: Settings, *, rate: float, duration_s: float, wallets: int, on_start: Callable[[], object] = _nothing
) -> LoadReport:
    """An open-loop load straight to Kafka; ``on_start`` is called when the wallets are there."""
    random = Random()  # noqa: S311 (amounts and pairs of a load, no secrets)
    database = await connect(settings)
    try:
        async with kafka_sender(settings) as sender:
            fleet = await create_fleet(database, wallets, CURRENCY)
            await fund(sender, database, settings, fleet, FUNDS_UNITS)
            await calm_down(settings)
            pick = pair_picker(fleet.wallets, random)
            async with outcome_watcher(settings) as watcher:
                report = LoadReport("kafka", rate, duration_s, wallets)
                on_start()
                return await load_kafka(
                    report,
                    watcher,
                    sender,
                    lambda _index: make_request(*pick(), 1 + int(random.random() * UNITS_MAX), CURRENCY),
                )
    finally:
        await database.close()


async def run_flood(settings: Settings, *, count: int, wallets: int, progress: Progress) -> FloodReport:
    """``count`` requests as fast as it goes."""
    random = Random()  # noqa: S311 (as above)
    database = await connect(settings)
    try:
        async with kafka_sender(settings) as sender:
            fleet = await create_fleet(database, wallets, CURRENCY)
            await fund(sender, database, settings, fleet, FUNDS_UNITS)
            pick = pair_picker(fleet.wallets, random)

            def records() -> Iterator[Keyed]:
                for done in range(count):
                    _, key, value = make_request(*pick(), 1 + int(random.random() * UNITS_MAX), CURRENCY)
                    if done % 10_000 == 0:
                        progress("sent", done, count)
                    yield key.encode(), value

            return await flood(settings, sender, database, records(), count=count, rows=count, progress=progress)
    finally:
        await database.close()


async def run_http(
    settings: Settings,
    access: ApiAccess,
    *,
    rate: float,
    duration_s: float,
    wallets: int,
    on_start: Callable[[], object] = _nothing,
) -> LoadReport:
    """An open-loop load over HTTP, as an admin, who may move anyone's money; ``on_start`` as above."""
    random = Random()  # noqa: S311 (as above)
    async with api_client(access) as api:
        ids = await _http_wallets(api, wallets)
        await deposit_all(api, ids, format_units(FUNDS_UNITS), CURRENCY)
        await calm_down(settings)
        pick = pair_picker(ids, random)
        async with outcome_watcher(settings) as watcher:
            report = LoadReport("http", rate, duration_s, wallets)
            on_start()

            def make(_index: int) -> tuple[str, Callable[[], Awaitable[str]]]:
                transfer_id = str(uuid4())
                amount = format_units(1 + int(random.random() * UNITS_MAX))
                return transfer_id, partial(api.submit, api.admin, Submission(transfer_id, *pick(), amount, CURRENCY))

            return await load_http(report, watcher, make)


async def _http_wallets(api: Api, count: int) -> list[str]:
    """That many accounts with a wallet each, their passwords thrown away."""
    run = uuid4().hex[:12]

    async def make(number: int) -> str:
        user_id = await api.register(f"load-{run}-{number}@example.com", uuid4().hex)
        return await api.open_wallet(api.admin, CURRENCY, user_id)

    return await in_parallel([partial(make, number) for number in range(count)])
