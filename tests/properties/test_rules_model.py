"""The rules against a model that anyone can check by eye: plain balances, one transfer after another."""

from datetime import UTC, datetime

from builders import an_order
from hypothesis import given
from hypothesis import strategies as st

from sinks.ledger.rules import decide
from sinks.ledger.types import Order, WalletState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WALLETS = [f"00000000-0000-4000-8000-{n:012d}" for n in range(5)]
WORLD = WALLETS[0]

orders = st.lists(
    st.builds(
        lambda source, destination, units, currency: an_order(
            0, units, source_wallet_id=source, destination_wallet_id=destination, currency=currency
        ),
        st.sampled_from([*WALLETS, "unknown"]),
        st.sampled_from([*WALLETS, "unknown"]),
        st.integers(1, 300),
        st.sampled_from(["USD", "USD", "USD", "EUR"]),
    ),
    max_size=40,
)


@given(orders, st.lists(st.integers(0, 500), min_size=5, max_size=5))
def test_decisions_follow_the_model(given_orders: list[Order], balances: list[int]) -> None:
    wallets = {w: WalletState("USD", w == WORLD, True, units, 3) for w, units in zip(WALLETS, balances, strict=True)}
    model = dict(zip(WALLETS, balances, strict=True))
    versions = dict.fromkeys(WALLETS, 3)

    transfers, changed = decide(given_orders, wallets, NOW)

    for order, transfer in zip(given_orders, transfers, strict=True):
        source, destination = order.request.source_wallet_id, order.request.destination_wallet_id
        expected = (
            source != destination
            and source in model
            and destination in model
            and order.request.currency == "USD"
            and (source == WORLD or model[source] >= order.units)
        )
        assert (transfer.reason is None) == expected
        if expected:
            model[source] -= order.units
            model[destination] += order.units
            versions[source] += 1
            versions[destination] += 1
            assert (transfer.source_units, transfer.source_version) == (model[source], versions[source])
            assert (transfer.destination_units, transfer.destination_version) == (
                model[destination],
                versions[destination],
            )
    assert {w: (state.units, state.version) for w, state in (wallets | changed).items()} == {
        w: (model[w], versions[w]) for w in WALLETS
    }
    assert sum(model.values()) == sum(balances), "no money made or gone"
    assert all(units >= 0 for wallet, units in model.items() if wallet != WORLD)


@given(orders, st.integers(0, 40))
def test_cutting_a_batch_in_two_changes_nothing(given_orders: list[Order], cut: int) -> None:
    wallets = {w: WalletState("USD", w == WORLD, True, 250, 0) for w in WALLETS}
    whole, changed = decide(given_orders, wallets, NOW)
    left, changed_left = decide(given_orders[:cut], wallets, NOW)
    right, changed_right = decide(given_orders[cut:], wallets | changed_left, NOW)
    assert left + right == whole
    assert changed_left | changed_right == changed
