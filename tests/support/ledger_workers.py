"""Workers on one ledger, each with a partition of its own, who decide ahead."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import asyncpg
from ledger_wallets import batch

from sinks.ledger.ledger import Ledger
from sinks.ledger.memory import WalletMemory
from sinks.ledger.rules import decide
from sinks.ledger.speculation import Decision, SpeculativeLedger
from sinks.ledger.types import Order, Transfer

TOPIC = "requests"


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 6, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **duration: float) -> None:
        self.now += timedelta(**duration)


class LedgerWorker:
    """Gives its orders the next offsets of its partition."""

    def __init__(self, pool: asyncpg.Pool, partition: int, clock: Callable[[], datetime]) -> None:
        self.careful = Ledger(pool, TOPIC, decide, clock)
        self._ledger = SpeculativeLedger(self.careful)
        self._partition = partition
        self._offset = 0

    async def start(self) -> "LedgerWorker":
        await self.careful.progress([self._partition])
        return self

    async def decide(self, *orders: Order) -> Decision:
        for order in orders:
            order.partition, order.offset = self._partition, self._offset
            self._offset += 1
        return await self._ledger.decide([batch(orders)])

    async def commit(self, decision: Decision) -> list[Transfer]:
        return (await self._ledger.commit(decision)).transfers

    def forget(self) -> None:
        """As after a wrong guess."""
        self._ledger._memory = WalletMemory()

    async def apply(self, *orders: Order) -> list[str | None]:
        """The reasons."""
        return [transfer.reason for transfer in await self.commit(await self.decide(*orders))]
