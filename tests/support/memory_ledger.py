"""A ledger in memory, for the stage above it: it decides by the real rules and keeps what it is given."""

from collections.abc import Collection, Sequence

from builders import REQUESTED_AT

from sinks.ledger.identity import sort_orders
from sinks.ledger.ledger import Ledger
from sinks.ledger.rules import decide
from sinks.ledger.types import Applied, Batch, Order, Transfer, Verdict, WalletState

USD_UNITS = 10_000_000


class MemoryLedger(Ledger):
    """Every wallet exists and has a thousand dollars at first."""

    def __init__(self) -> None:
        self.decide = decide
        self.now = lambda: REQUESTED_AT
        self.next_offsets: dict[int, int] = {}
        self.rows: dict[str, Transfer] = {}
        self.states: dict[str, WalletState] = {}

    async def progress(self, partitions: Collection[int]) -> dict[int, int]:
        return {partition: self.next_offsets.setdefault(partition, 0) for partition in partitions}

    async def wallets(self, wallet_ids: Collection[str]) -> dict[str, WalletState]:
        return {
            wallet_id: self.states.get(wallet_id) or WalletState("USD", False, True, USD_UNITS, 0)
            for wallet_id in wallet_ids
        }

    async def write(self, batches: Sequence[Batch], verdict: Verdict) -> None:
        self.states |= verdict.changed
        self.rows |= {transfer.transfer_id: transfer for transfer in verdict.transfers}
        self.next_offsets |= {batch.partition: batch.next_offset for batch in batches}

    async def replay(self, orders: Sequence[Order]) -> Applied:
        found = sort_orders(orders, self.rows)
        return Applied(found.own, found.refused)

    async def apply_batches(self, batches: Sequence[Batch], *, in_doubt: bool = False) -> Applied:
        raise AssertionError("nobody else writes, so no guess is wrong")
