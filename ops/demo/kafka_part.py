"""The part of the demo that goes straight to Kafka."""

from random import Random

from ops.demo.mixture import CURRENCY, UNITS_MAX, Shares, Wallets, mix
from ops.demo.tally import Tally
from ops.load.flood import Progress, flood
from ops.load.kafka_sender import KafkaSender
from ops.load.open_loop import load_kafka
from ops.load.outcomes import outcome_watcher
from ops.load.report import FloodReport, LoadReport
from ops.load.requests import KeyedRequest, make_request, pair_picker
from ops.load.wallets import Fleet, create_fleet, fund
from schemas.money import UNITS_PER_ONE
from schemas.settings import Settings
from sinks.postgres.pool import Connection

RICH = 2_000
POOR = 50
FOREIGN = 20
FUNDS_UNITS = 10_000 * UNITS_PER_ONE
"""A thousand of the largest payments: no wallet sends nearly as many."""

PACED_RATE = 500.0
PACED_S = 5.0


class KafkaPart:
    """Sends straight to Kafka and counts what must become of it."""

    def __init__(self, settings: Settings, sender: KafkaSender, database: Connection, random: Random) -> None:
        self._settings = settings
        self._sender = sender
        self._database = database
        self._random = random
        self.tally = Tally()
        self._rich: Fleet
        self._wallets: Wallets

    async def prepare(self) -> int:
        """Make wallets, and pay money into the rich ones through the topic; how many deposits that took."""
        self._rich = await create_fleet(self._database, RICH, CURRENCY)
        poor = await create_fleet(self._database, POOR, CURRENCY)
        foreign = await create_fleet(self._database, FOREIGN, "EUR")
        self._wallets = Wallets(self._rich.wallets, poor.wallets, foreign.wallets)
        deposits = await fund(self._sender, self._database, self._settings, self._rich, FUNDS_UNITS)
        for _ in range(deposits):
            self.tally.deposit(FUNDS_UNITS, CURRENCY)
        return deposits

    async def pace(self) -> LoadReport:
        """Transfers at a steady rate, to see what a transfer takes while nothing piles up."""
        pick = pair_picker(self._rich.wallets, self._random)

        def make(_index: int) -> KeyedRequest:
            self.tally.transfer()
            return make_request(*pick(), 1 + int(self._random.random() * UNITS_MAX), CURRENCY)

        report = LoadReport("kafka", PACED_RATE, PACED_S, RICH)
        async with outcome_watcher(self._settings) as watcher:
            return await load_kafka(report, watcher, self._sender, make)

    async def flood(self, progress: Progress, shares: Shares | None = None) -> FloodReport:
        """Everything else, as fast as it goes."""
        records, tally = mix(self._wallets, shares or Shares(), self._random)
        self.tally.add(tally)
        return await flood(
            self._settings,
            self._sender,
            self._database,
            records,
            count=tally.records,
            rows=tally.transfers,
            progress=progress,
        )
