from datetime import UTC, datetime

import pytest
from builders import an_order

from schemas.codes import FailureReason
from schemas.money import UNITS_MAX
from sinks.ledger.rules import decide
from sinks.ledger.types import WalletState

NOW = datetime(2026, 5, 6, tzinfo=UTC)
A = "00000000-0000-4000-8000-00000000000a"
B = "00000000-0000-4000-8000-00000000000b"


def wallet(
    units: int = 0,
    version: int = 0,
    *,
    currency: str = "USD",
    world: bool = False,
    active: bool = True,
    closed: bool = False,
) -> WalletState:
    return WalletState(currency, world, active and not closed, units, version, closed)


def test_a_transfer_moves_the_amount_and_counts_both_versions() -> None:
    wallets = {A: wallet(1000, 4), B: wallet(5, 9)}
    [transfer], changed = decide(
        [an_order(3, 400, partition=2, source_wallet_id=A, destination_wallet_id=B)], wallets, NOW
    )
    assert transfer.reason is None
    assert (transfer.source_units, transfer.source_version) == (600, 5)
    assert (transfer.destination_units, transfer.destination_version) == (405, 10)
    assert (transfer.request_partition, transfer.request_offset, transfer.completed_at) == (2, 3, NOW)
    assert changed == {A: wallet(600, 5), B: wallet(405, 10)}
    assert wallets == {A: wallet(1000, 4), B: wallet(5, 9)}, "what was read stays as it was"


def test_orders_see_what_those_before_them_did() -> None:
    orders = [
        an_order(0, 10, source_wallet_id=A, destination_wallet_id=B),
        an_order(1, 10, source_wallet_id=A, destination_wallet_id=B),
        an_order(2, 10, source_wallet_id=B, destination_wallet_id=A),
    ]
    transfers, changed = decide(orders, {A: wallet(10), B: wallet()}, NOW)
    assert [t.reason for t in transfers] == [None, FailureReason.INSUFFICIENT_FUNDS, None]
    assert changed == {A: wallet(10, 2), B: wallet(0, 2)}


@pytest.mark.parametrize(
    ("source", "destination", "units", "reason"),
    [
        (None, wallet(), 1, FailureReason.WALLET_NOT_FOUND),
        (wallet(9), None, 1, FailureReason.WALLET_NOT_FOUND),
        (wallet(9, active=False), wallet(), 1, FailureReason.WALLET_FROZEN),
        (wallet(9), wallet(active=False), 1, FailureReason.WALLET_FROZEN),
        (wallet(0, closed=True), wallet(), 1, FailureReason.WALLET_CLOSED),
        (wallet(9), wallet(closed=True), 1, FailureReason.WALLET_CLOSED),
        (wallet(9, active=False), wallet(closed=True), 1, FailureReason.WALLET_CLOSED),
        (wallet(0, closed=True), None, 1, FailureReason.WALLET_NOT_FOUND),
        (wallet(9, currency="EUR"), wallet(), 1, FailureReason.CURRENCY_MISMATCH),
        (wallet(9), wallet(currency="EUR"), 1, FailureReason.CURRENCY_MISMATCH),
        (wallet(9, currency="EUR"), wallet(currency="EUR"), 1, FailureReason.CURRENCY_MISMATCH),
        (wallet(0), wallet(), 1, FailureReason.INSUFFICIENT_FUNDS),
        (wallet(9), wallet(UNITS_MAX), 1, FailureReason.BALANCE_OVERFLOW),
        (wallet(-UNITS_MAX, world=True), wallet(), 1, FailureReason.BALANCE_OVERFLOW),
        (wallet(9, active=False), None, 1, FailureReason.WALLET_NOT_FOUND),
        (wallet(0, active=False, currency="EUR"), wallet(), 1, FailureReason.WALLET_FROZEN),
        (wallet(0, currency="EUR"), wallet(UNITS_MAX), 1, FailureReason.CURRENCY_MISMATCH),
        (wallet(0), wallet(UNITS_MAX), 1, FailureReason.INSUFFICIENT_FUNDS),
        (wallet(1), wallet(UNITS_MAX - 1), 1, None),
        (wallet(0, world=True), wallet(), 1, None),
    ],
)
def test_reasons_and_their_precedence(
    source: WalletState | None, destination: WalletState | None, units: int, reason: str | None
) -> None:
    wallets = {wallet_id: state for wallet_id, state in ((A, source), (B, destination)) if state is not None}
    [transfer], changed = decide([an_order(0, units, source_wallet_id=A, destination_wallet_id=B)], wallets, NOW)
    assert transfer.reason == reason
    assert bool(changed) == (reason is None)
    if reason:
        assert transfer.source_units is transfer.source_version is None
        assert transfer.destination_units is transfer.destination_version is None


def test_same_wallet_comes_first_of_all() -> None:
    [transfer], changed = decide([an_order(0, 1, source_wallet_id=A, destination_wallet_id=A)], {}, NOW)
    assert (transfer.reason, changed) == (FailureReason.SAME_WALLET, {})
