"""Holds, draws on them and reversals, in any order: against a model of plain balances and what is left of each."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
from builders import a_draw, a_hold, an_order
from hypothesis import given
from hypothesis import strategies as st

from schemas.holds import hold_wallet_id
from sinks.ledger.rules import decide
from sinks.ledger.tally import parents_among
from sinks.ledger.types import Facts, Order, Terms, Transfer, WalletState

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
WALLETS = [f"00000000-0000-4000-8000-{n:012d}" for n in range(4)]
HOLD_WALLETS = [hold_wallet_id(wallet_id) for wallet_id in WALLETS]
UNITS = 1_000

steps = st.lists(
    st.tuples(
        st.sampled_from(["transfer", "hold", "hold", "capture", "capture", "void", "reversal", "reversal"]),
        st.integers(0, len(WALLETS) - 1),
        st.integers(0, len(WALLETS) - 1),
        st.integers(0, 30),
        st.integers(1, 600),
        st.integers(0, 3),
    ),
    max_size=40,
)


def begin() -> dict[str, WalletState]:
    ordinary = {wallet_id: WalletState("USD", False, True, UNITS, 0) for wallet_id in WALLETS}
    hold = {wallet_id: WalletState("USD", False, True, 0, 0, terms=Terms(is_hold=True)) for wallet_id in HOLD_WALLETS}
    return ordinary | hold


def orders_of(drawn: list[tuple[str, int, int, int, int, int]]) -> list[Order]:
    """Draws name some order before them, one that fits or not, and the wallet where its money came from or any."""
    orders: list[Order] = []
    for offset, (kind, one, other, back, units, hours) in enumerate(drawn):
        if kind == "hold":
            end = BEGIN + timedelta(hours=hours) if hours else None
            orders.append(a_hold(offset, units, WALLETS[one], expires_at=end))
        elif kind == "transfer" or not orders:
            orders.append(an_order(offset, units, source_wallet_id=WALLETS[one], destination_wallet_id=WALLETS[other]))
        else:
            parent = orders[-1 - back % len(orders)]
            payer = parent.request.source_wallet_id
            if payer in HOLD_WALLETS:
                payer = WALLETS[HOLD_WALLETS.index(payer)]
            orders.append(a_draw(offset, units, kind, parent, WALLETS[other] if kind == "capture" else payer))
    return orders


@dataclass
class Model:
    """Anyone can check it by eye."""

    balances: dict[str, int] = field(default_factory=lambda: {w: s.units for w, s in begin().items()})
    left: dict[str, int] = field(default_factory=dict)

    def apply(self, transfer: Transfer) -> None:
        if transfer.reason is not None:
            return
        self.balances[transfer.source_wallet_id] -= transfer.units
        self.balances[transfer.destination_wallet_id] += transfer.units
        self.left[transfer.transfer_id] = transfer.units
        if transfer.parent_id is not None:
            self.left[transfer.parent_id] -= transfer.units

    def check(self, made: list[Transfer]) -> None:
        assert sum(self.balances.values()) == UNITS * len(WALLETS)
        assert all(units >= 0 for units in self.balances.values())
        assert all(units >= 0 for units in self.left.values())
        for wallet_id in HOLD_WALLETS:
            holds = [t for t in made if t.kind == "hold" and t.destination_wallet_id == wallet_id and not t.reason]
            assert self.balances[wallet_id] == sum(self.left[t.transfer_id] for t in holds)


def facts_of(orders: list[Order], made: list[Transfer], model: Model) -> Facts:
    """As the ledger would read them."""
    wanted = {order.request.parent_id for order in orders}
    found = {k: p for k, p in parents_among(made).items() if k in wanted}
    return Facts({k: msgspec.structs.replace(p, units_left=model.left[k]) for k, p in found.items()})


@given(steps, st.lists(st.integers(1, 8), max_size=20))
def test_nothing_is_overdrawn_and_batches_do_not_matter(
    drawn: list[tuple[str, int, int, int, int, int]], sizes: list[int]
) -> None:
    orders, made, model, states = orders_of(drawn), list[Transfer](), Model(), begin()
    at = 0
    for size in [*sizes, len(orders)]:
        some = orders[at : at + size]
        at += size
        transfers, changed = decide(some, states, BEGIN, facts_of(some, made, model))
        made += transfers
        states = states | changed
        for transfer in transfers:
            model.apply(transfer)
        model.check(made)
    whole, changed = decide(orders, begin(), BEGIN)
    assert made == whole
    assert {w: s.units for w, s in (begin() | changed).items()} == model.balances
