from typing import Any

import pytest
from builders import REQUESTED_AT, an_order, repeat_of

from schemas.codes import DeadLetterCause
from schemas.transfers import encode_outcome
from sinks.ledger.identity import sort_orders
from sinks.ledger.rules import decide
from sinks.ledger.types import Order, Transfer
from streams.outcomes import outcome_of


def stored(order: Order) -> Transfer:
    [transfer], _ = decide([order], {}, REQUESTED_AT)
    return transfer


def test_new_orders_are_fresh() -> None:
    orders = [an_order(0), an_order(1)]
    found = sort_orders(orders, {})
    assert (found.fresh, found.own, found.refused) == (orders, [], [])


def test_a_repeat_with_another_time_is_dropped() -> None:
    first = an_order(0)
    later = repeat_of(first, 1, requested_at=REQUESTED_AT.replace(year=2030))
    assert sort_orders([first, later], {}).fresh == [first]
    row = stored(first)
    again = sort_orders([later], {row.transfer_id: row})
    assert (again.fresh, again.own, again.refused) == ([], [], [])


def test_the_row_that_the_very_record_made_is_its_own() -> None:
    first = an_order(5, partition=1)
    row = stored(first)
    assert sort_orders([first], {row.transfer_id: row}).own == [row]
    elsewhere = repeat_of(first, 5, partition=2)
    assert sort_orders([elsewhere], {row.transfer_id: row}).own == [], "another partition's offset 5"


@pytest.mark.parametrize(
    "change",
    [
        {"source_wallet_id": "00000000-0000-4000-8000-00000000000a"},
        {"destination_wallet_id": "00000000-0000-4000-8000-00000000000a"},
        {"currency": "EUR"},
        {"reference": "x"},
        {"metadata": {}},
        {"metadata": {"a": "b"}},
    ],
)
def test_an_id_with_other_content_is_refused(change: dict[str, Any]) -> None:
    first = an_order(0)
    other = repeat_of(first, 1, **change)
    row = stored(first)
    for found in (sort_orders([first, other], {}), sort_orders([other], {row.transfer_id: row})):
        assert [(r.order, r.cause) for r in found.refused] == [(other, DeadLetterCause.TRANSFER_ID_REUSED)]


def test_an_outcome_is_the_same_from_memory_and_from_its_row() -> None:
    row = stored(an_order(0, metadata={"a": "b"}, reference="r"))
    outcome = outcome_of(row)
    assert b'"requested_at":"2026-01-02T03:04:05.678901Z"' in encode_outcome(outcome)
    assert outcome.metadata == {"a": "b"}
    assert outcome.status == "FAILED"
