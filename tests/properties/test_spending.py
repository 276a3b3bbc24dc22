"""What has left a wallet over the last day, against a plain list."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sinks.ledger.spending import DAY_MINUTES, Spending, first_minute, minute_of


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(1, 100)), max_size=30))
def test_the_last_day_is_summed_to_the_minute(steps: list[tuple[int, int]]) -> None:
    spending, paid, minute = Spending(), list[tuple[int, int]](), 10_000
    for passed, units in steps:
        minute += passed
        first = minute - DAY_MINUTES
        assert spending.since(first) == sum(u for m, u in paid if m >= first)
        spending.add(minute, units)
        paid.append((minute, units))
    assert Spending(paid).since(0) == sum(units for _, units in paid)


def test_a_clock_that_steps_back_loses_nothing() -> None:
    spending = Spending()
    spending.add(100, 5)
    spending.add(90, 7)
    assert (spending.since(95), spending.since(101)) == (12, 0)


def test_a_day_and_up_to_a_minute_more() -> None:
    paid_at = datetime(2026, 5, 6, 12, 0, 59, tzinfo=UTC)
    for later, counts in ((timedelta(days=1), True), (timedelta(days=1, seconds=1), False)):
        assert (minute_of(paid_at) >= first_minute(paid_at + later)) == counts
    assert minute_of(paid_at.replace(second=0)) >= first_minute(paid_at + timedelta(days=1))
