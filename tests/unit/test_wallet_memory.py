"""What a worker keeps of wallets in use, and what it forgets."""

from collections.abc import Collection

from builders import an_order, new_id
from ledger_wallets import batch
from memory_ledger import USD_UNITS, MemoryLedger

from sinks.ledger.memory import WalletMemory
from sinks.ledger.speculation import SpeculativeLedger
from sinks.ledger.spending import Spending
from sinks.ledger.types import Order, Terms, WalletState


class LimitedLedger(MemoryLedger):
    """Nothing has left a wallet as far as it is committed."""

    async def spending(self, wallet_ids: Collection[str], minute: int) -> dict[str, Spending]:
        return {wallet_id: Spending() for wallet_id in wallet_ids}


async def test_what_has_left_a_wallet_is_not_forgotten_before_its_state() -> None:
    """The one that is decided on, while so many others are learned of that older ones are dropped."""
    payer, inner = new_id(), LimitedLedger()
    inner.states[payer] = WalletState("USD", False, True, USD_UNITS, 0, terms=Terms(1, day_max=10))
    ledger = SpeculativeLedger(inner)
    ledger._memory = WalletMemory(wallets_max=1)

    async def reasons(*orders: Order) -> list[str | None]:
        decision = await ledger.decide([batch(orders)])
        assert decision.verdict is not None
        return [transfer.reason for transfer in decision.verdict.transfers]

    def pay() -> Order:
        return an_order(0, 6, source_wallet_id=payer, destination_wallet_id=new_id())

    def others() -> Order:
        return an_order(0, 1, source_wallet_id=new_id(), destination_wallet_id=new_id())

    assert await reasons(pay()) == [None]
    assert await reasons(pay(), others(), others()) == ["limit_exceeded", None, None]
