"""Rows made of what was told, in an order in which it can have been decided."""

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from builders import REQUESTED_AT, an_order, consumed

from sinks.errors import CannotFollowError
from sinks.ledger.rules import decide
from sinks.ledger.types import Order, Transfer, WalletState
from streams.beyond_ledger import _told
from streams.following import Candidate, Following, legs_of
from streams.outcomes import outcome_record, told_transfer

ANNA, BEN, CARL, WORLD = (f"00000000-0000-0000-0000-00000000000{digit}" for digit in "abcd")


def wallets(**changes: WalletState) -> dict[str, WalletState]:
    rich = WalletState("USD", False, True, 1_000, 0)
    return {ANNA: rich, BEN: rich, CARL: rich, **changes}


def pays(offset: int, source: str, destination: str, units: int, partition: int) -> Order:
    return an_order(offset, units, partition=partition, source_wallet_id=source, destination_wallet_id=destination)


def history(*orders: Order) -> list[Transfer]:
    """What these come to, decided one after the other."""
    return decide(orders, wallets(), REQUESTED_AT)[0]


def following(states: dict[str, WalletState] | None = None) -> Following:
    made = Following({0: 0, 1: 0})
    made.learn([ANNA, BEN, CARL, WORLD], wallets() if states is None else states)
    return made


FIRST, SECOND, THIRD = history(
    pays(0, ANNA, BEN, 400, partition=0), pays(0, BEN, CARL, 1_300, partition=1), pays(1, ANNA, BEN, 5_000, partition=0)
)


def test_an_outcome_leads_back_to_its_row() -> None:
    full = msgspec.structs.replace(FIRST, reference="rent", metadata={"for": "May"})
    for transfer in (full, SECOND, THIRD, msgspec.structs.replace(FIRST, source_units=-5)):
        record = outcome_record(transfer)
        partition = transfer.request_partition
        assert told_transfer(consumed(9, record.value, partition=partition, headers=record.headers)) == transfer


@pytest.mark.parametrize(("value", "headers"), [(b"{}", [("source-offset", b"1")]), (None, []), (b"\xff", [])])
def test_what_we_did_not_write_is_no_row(value: bytes | None, headers: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (msgspec's errors are of this kind)
        told_transfer(consumed(0, value, headers=headers))
    nameless = outcome_record(FIRST)
    with pytest.raises(ValueError, match="does not say what request"):
        told_transfer(consumed(0, nameless.value))


def test_a_record_that_is_no_outcome_is_named() -> None:
    with pytest.raises(CannotFollowError, match="at 7 is no outcome that a worker has written"):
        _told(consumed(7, b"{}", headers=[("source-offset", b"1")]))


def test_a_wallets_versions_say_what_comes_first() -> None:
    rows = following()
    assert not rows.take(SECOND)
    assert rows.take(FIRST)
    assert rows.take(SECOND)
    assert rows.take(THIRD)
    batches, verdict = rows.work(REQUESTED_AT)
    assert verdict.transfers == [FIRST, SECOND, THIRD]
    assert {b.partition: (b.first_offset, b.next_offset) for b in batches} == {0: (0, 2), 1: (0, 1)}
    assert {key: (s.units, s.version) for key, s in verdict.changed.items()} == {
        ANNA: (600, 1),
        BEN: (100, 2),
        CARL: (2_300, 1),
    }
    assert {key: s.version for key, s in verdict.read.items()} == {ANNA: 0, BEN: 0, CARL: 0}
    assert THIRD.reason is not None
    assert legs_of(THIRD) == ()


def test_after_a_write_it_goes_on_from_there() -> None:
    rows = following()
    assert rows.take(FIRST)
    rows.work(REQUESTED_AT)
    rows.written()
    assert rows.rows == 0
    assert rows.next_offset(0) == 1
    assert rows.take(SECOND)
    batches, verdict = rows.work(REQUESTED_AT)
    assert [(b.partition, b.first_offset, b.next_offset) for b in batches] == [(1, 0, 1)]
    assert {key: s.version for key, s in verdict.read.items()} == {BEN: 1, CARL: 0}


@pytest.mark.parametrize(
    ("states", "problem"),
    [
        ({BEN: WalletState("USD", False, True, 1_000, 1)}, "which another transfer has taken"),
        ({BEN: WalletState("USD", False, True, 999, 0)}, "with 0.1400, but it would have 0.1399"),
        ({BEN: WalletState("USD", False, False, 1_000, 0)}, "that wallet is not active"),
        ({ANNA: None}, "has no such wallet"),
    ],
)
def test_what_contradicts_the_ledger_is_named(states: dict[str, Any], problem: str) -> None:
    known = {key: state for key, state in (wallets() | states).items() if state is not None}
    with pytest.raises(CannotFollowError, match=problem) as caught:
        following(known).take(FIRST)
    assert FIRST.transfer_id in str(caught.value)


def fill(rows: Following, waiting: Iterable[Transfer], *candidates: tuple[int, Order]) -> Order | None:
    told = {(leg.wallet_id, leg.version) for transfer in waiting for leg in legs_of(transfer)}
    return rows.fill(list(waiting), told, [Candidate(*c) for c in candidates], decide, REQUESTED_AT)


def test_what_was_not_told_is_found_among_the_requests() -> None:
    """Ben could pay Carl only because Anna had paid him; nobody was told of that."""
    rows = following()
    elsewhere, poor = pays(0, CARL, ANNA, 1, partition=2), pays(5, ANNA, BEN, 9_999, partition=3)
    missing = pays(0, ANNA, BEN, 400, partition=0)
    assert not rows.take(SECOND)
    assert fill(rows, [SECOND], (1, poor), (2, elsewhere), (3, missing)) is missing
    assert rows.take(SECOND)
    assert rows.next_offset(0) == 1
    [made, told] = rows.work(REQUESTED_AT)[1].transfers
    assert (made.transfer_id, made.reason) == (missing.request.transfer_id, None)
    assert told is SECOND


def test_no_place_that_was_told_is_given_away() -> None:
    """Carl's first entry was told to be Ben's payment, so nothing else can have been paid to him by then."""
    rows = following()
    assert fill(rows, [SECOND], (1, pays(0, ANNA, CARL, 1, partition=0))) is None
    assert rows.rows == 0


def test_what_failed_before_is_passed_over_last() -> None:
    rows = following()
    poor = pays(0, ANNA, BEN, 9_999, partition=0)
    later = pays(1, ANNA, BEN, 400, partition=0)
    assert fill(rows, [SECOND], (1, poor)) is poor
    assert fill(rows, [SECOND], (2, later)) is later
    assert rows.take(SECOND)
    assert [t.reason for t in rows.work(REQUESTED_AT)[1].transfers] == ["insufficient_funds", None, None]
