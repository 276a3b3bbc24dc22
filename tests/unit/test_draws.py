"""Holds, captures, voids and reversals, and limits: what the rules say of each."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from builders import a_draw, a_hold, an_order, consumed

from schemas.codes import FailureReason
from schemas.holds import hold_wallet_id
from schemas.transfers import InvalidRequestError, check_request, decode_outcome, decode_request, encode_request
from sinks.kafka.records import Record
from sinks.ledger.rules import decide
from sinks.ledger.tally import parents_among
from sinks.ledger.types import Facts, Order, Terms, Transfer, WalletState
from sinks.recipients import Recipient
from streams.notifications import notifications_of
from streams.outcomes import outcome_record, told_transfer

NOW = datetime(2026, 5, 6, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ADA = "00000000-0000-4000-8000-00000000000a"
BEN = "00000000-0000-4000-8000-00000000000b"
CY = "00000000-0000-4000-8000-00000000000c"
HELD = hold_wallet_id(ADA)
HELD_OF_BEN = hold_wallet_id(BEN)


def wallets(**changes: WalletState) -> dict[str, WalletState]:
    ordinary = WalletState("USD", False, True, 1_000, 0)
    hold = WalletState("USD", False, True, 0, 0, terms=Terms(is_hold=True))
    named = {"ada": ADA, "ben": BEN, "cy": CY, "held": HELD, "held_of_ben": HELD_OF_BEN}
    states = {ADA: ordinary, BEN: ordinary, CY: ordinary, HELD: hold, HELD_OF_BEN: hold}
    return states | {named[name]: state for name, state in changes.items()}


def reasons(orders: list[Order], facts: Facts | None = None, **changes: WalletState) -> list[str | None]:
    transfers, _ = decide(orders, wallets(**changes), NOW, facts or Facts())
    return [transfer.reason for transfer in transfers]


def test_a_hold_is_captured_in_part_and_the_rest_is_voided() -> None:
    hold = a_hold(0, 700, ADA, expires_at=LATER)
    orders = [hold, a_draw(1, 300, "capture", hold, BEN), a_draw(2, 400, "void", hold, ADA)]
    transfers, changed = decide(orders, wallets(), NOW)
    assert [t.reason for t in transfers] == [None, None, None]
    assert [(t.kind, t.parent_id, t.expires_at) for t in transfers] == [
        ("hold", None, LATER),
        ("capture", hold.request.transfer_id, None),
        ("void", hold.request.transfer_id, None),
    ]
    assert {w: state.units for w, state in changed.items()} == {ADA: 700, HELD: 0, BEN: 1_300}
    assert (transfers[0].source_units, transfers[0].destination_units) == (300, 700)


def test_no_more_is_drawn_than_is_left_whoever_else_holds_money_there() -> None:
    hold, other = a_hold(0, 100, ADA), a_hold(1, 900, ADA)
    draws = [a_draw(n, 60, "capture", hold, BEN) for n in (2, 3)] + [a_draw(4, 40, "void", hold, ADA)]
    assert reasons([hold, other, *draws]) == [None, None, None, FailureReason.AMOUNT_EXCEEDS_REMAINING, None]


def test_what_was_drawn_before_counts() -> None:
    hold = a_hold(0, 100, ADA)
    [made], changed = decide([hold], wallets(), NOW)
    parent = msgspec.structs.replace(parents_among([made])[made.transfer_id], units_left=30)
    facts = Facts({made.transfer_id: parent})
    draws = [a_draw(1, units, "capture", hold, BEN) for units in (31, 30, 1)]
    assert reasons(draws, facts, held=changed[HELD]) == [
        FailureReason.AMOUNT_EXCEEDS_REMAINING,
        None,
        FailureReason.AMOUNT_EXCEEDS_REMAINING,
    ]


def test_a_hold_that_has_come_to_its_end_is_not_captured_but_voided() -> None:
    hold = a_hold(0, 100, ADA, expires_at=LATER)
    [made], changed = decide([hold], wallets(), NOW)
    facts = Facts(parents_among([made]))
    draws = [a_draw(1, 50, "capture", hold, BEN), a_draw(2, 100, "void", hold, ADA)]
    transfers, _ = decide(draws, wallets() | changed, LATER, facts)
    assert [t.reason for t in transfers] == [FailureReason.HOLD_EXPIRED, None]
    assert reasons([a_hold(0, 100, ADA, expires_at=NOW)]) == [FailureReason.HOLD_EXPIRED]


@pytest.mark.parametrize(
    "order",
    [
        an_order(1, 1, source_wallet_id=HELD, destination_wallet_id=ADA),
        an_order(1, 1, source_wallet_id=ADA, destination_wallet_id=HELD),
        a_draw(1, 1, "capture", a_hold(0, 100, ADA), HELD_OF_BEN),
        an_order(1, 1, kind="reversal", parent_id=CY, source_wallet_id=HELD, destination_wallet_id=ADA),
        an_order(1, 1, kind="capture", parent_id=CY, source_wallet_id=ADA, destination_wallet_id=BEN),
    ],
)
def test_money_goes_in_and_out_of_hold_wallets_only_as_it_may(order: Order) -> None:
    assert reasons([order], held=WalletState("USD", False, True, 500, 1, terms=Terms(is_hold=True))) == [
        FailureReason.WALLET_NOT_FOUND
    ]


def test_what_is_drawn_on_must_be_there_be_completed_and_fit() -> None:
    hold, failed = a_hold(0, 100, ADA), a_hold(1, 2_000, ADA)
    payment = an_order(2, 100, source_wallet_id=CY, destination_wallet_id=BEN)
    reversal = a_draw(3, 10, "reversal", payment, CY)
    draws = [
        a_draw(4, 1, "capture", failed, BEN),
        a_draw(5, 1, "capture", a_hold(9, 1, ADA), BEN),
        a_draw(6, 1, "void", hold, BEN),
        a_draw(7, 1, "reversal", payment, ADA),
        a_draw(8, 1, "reversal", reversal, BEN),
        an_order(9, 1, kind="void", parent_id=hold.request.transfer_id, source_wallet_id=HELD_OF_BEN,
                 destination_wallet_id=BEN),
    ]  # fmt: skip
    found = reasons([hold, failed, payment, reversal, *draws])
    assert found[:4] == [None, FailureReason.INSUFFICIENT_FUNDS, None, None]
    assert found[4:] == [FailureReason.PARENT_NOT_FOUND] * len(draws)


def test_a_capture_is_reversed_to_the_wallet_that_it_was_held_of() -> None:
    hold = a_hold(0, 700, ADA)
    capture = a_draw(1, 700, "capture", hold, BEN)
    back = [a_draw(2, 1, "reversal", capture, CY), a_draw(3, 700, "reversal", capture, ADA)]
    transfers, changed = decide([hold, capture, *back], wallets(), NOW)
    assert [t.reason for t in transfers] == [None, None, FailureReason.PARENT_NOT_FOUND, None]
    assert {w: state.units for w, state in changed.items()} == {ADA: 1_000, HELD: 0, BEN: 1_000}


def test_a_void_reaches_a_frozen_wallet_and_nothing_else_does() -> None:
    hold = a_hold(0, 100, ADA)
    [made], changed = decide([hold], wallets(), NOW)
    facts = Facts(parents_among([made]))
    frozen = msgspec.structs.replace(changed[ADA], is_active=False)
    draws = [a_draw(1, 50, "capture", hold, BEN), a_draw(2, 50, "void", hold, ADA), a_hold(3, 1, ADA)]
    assert reasons(draws, facts, ada=frozen, held=changed[HELD]) == [None, None, FailureReason.WALLET_FROZEN]
    stopped = msgspec.structs.replace(changed[HELD], is_active=False)
    assert reasons(draws[:2], facts, held=stopped) == [FailureReason.WALLET_FROZEN] * 2


def test_limits_count_what_leaves_by_transfers_and_holds() -> None:
    limited = WalletState("USD", False, True, 1_000, 0, terms=Terms(1, transfer_max=300, day_max=500))
    hold = a_hold(0, 300, ADA)
    orders = [
        hold,
        an_order(1, 301, source_wallet_id=ADA, destination_wallet_id=BEN),
        a_draw(2, 300, "capture", hold, BEN),
        an_order(3, 101, source_wallet_id=ADA, destination_wallet_id=BEN),
        an_order(4, 100, source_wallet_id=ADA, destination_wallet_id=BEN),
        an_order(5, 1, source_wallet_id=ADA, destination_wallet_id=BEN),
        an_order(6, 500, source_wallet_id=BEN, destination_wallet_id=ADA),
    ]
    exceeded = FailureReason.LIMIT_EXCEEDED
    assert reasons(orders, Facts(spent={ADA: 100}), ada=limited) == [
        None,
        exceeded,
        None,
        exceeded,
        None,
        exceeded,
        None,
    ]


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"kind": "capture"}, "parent_id must be given"),
        ({"parent_id": CY}, "parent_id must be given"),
        ({"kind": "hold", "parent_id": CY}, "parent_id must be given"),
        ({"kind": "void", "parent_id": "x"}, "parent_id must be a hyphenated UUID"),
        ({"kind": "hold"}, "the destination of a hold"),
        ({"expires_at": NOW}, "expires_at must be given with nothing but"),
        ({"kind": "void", "parent_id": CY, "expires_at": NOW}, "expires_at must be given with nothing but"),
        ({"kind": "loan"}, "Invalid enum value"),
    ],
)
def test_members_that_do_not_belong_together_are_refused(changes: dict[str, Any], detail: str) -> None:
    request = an_order(0, 1, source_wallet_id=ADA, destination_wallet_id=BEN, **changes).request
    with pytest.raises(InvalidRequestError, match=detail):
        decode_request(encode_request(request))


def test_ids_and_times_of_draws_and_holds_are_put_in_one_form() -> None:
    draw = a_draw(0, 1, "void", a_hold(0, 1, ADA), ADA).request
    draw.parent_id = str(draw.parent_id).upper()
    check_request(draw)
    assert draw.parent_id == draw.parent_id.lower()
    hold = a_hold(0, 1, ADA).request
    raw = encode_request(hold)[:-1] + b',"expires_at":"2026-05-06T02:00:00+02:00"}'
    assert decode_request(raw)[0].expires_at == NOW


def chain() -> list[Transfer]:
    """A hold, a capture and a void of it, a reversal of the capture, and an ordinary transfer."""
    hold = a_hold(0, 700, ADA, expires_at=LATER)
    capture = a_draw(1, 300, "capture", hold, BEN)
    orders = [hold, capture, a_draw(2, 400, "void", hold, ADA), a_draw(3, 5, "reversal", capture, ADA)]
    payment = an_order(4, 5, source_wallet_id=ADA, destination_wallet_id=BEN)
    return decide([*orders, payment], wallets(), NOW)[0]


def test_an_outcome_tells_all_that_its_row_has() -> None:
    made = chain()
    records: list[Record] = [outcome_record(transfer) for transfer in made]
    told = [told_transfer(consumed(n, r.value, key=r.key, headers=r.headers)) for n, r in enumerate(records)]
    assert told == made
    assert b"kind" not in (records[-1].value or b""), "an ordinary one is what it always was"
    assert b"parent_id" not in (records[0].value or b"")


def test_who_holds_money_is_told_once_and_who_is_paid_too() -> None:
    owners = {wallet_id: Recipient("ada", "ada@example.com") for wallet_id in (ADA, HELD)}
    owners[BEN] = Recipient("ben", "ben@example.com")
    told = [notifications_of(decode_outcome(outcome_record(t).value or b""), owners) for t in chain()]
    assert [[(n.user_id, n.recipient, n.kind or None) for n in each] for each in told] == [
        [("ada", "sender", "hold")],
        [("ada", "sender", "capture"), ("ben", "receiver", "capture")],
        [("ada", "sender", "void")],
        [("ben", "sender", "reversal"), ("ada", "receiver", "reversal")],
        [("ada", "sender", None), ("ben", "receiver", None)],
    ]
