"""The money that waits, against a plain list of requests."""

from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from ops.lag.unapplied import Unapplied
from schemas.money import format_units

REQUESTS = st.tuples(st.integers(1, 3), st.integers(1, 10**18 - 1), st.sampled_from(["USD", "EUR", "JPY"]))
"""How far the next offset is, an amount, a currency."""

BROKEN = st.tuples(st.integers(1, 3), st.just(0), st.sampled_from(["", "XXL", "usd"]))
STEPS = st.lists(st.one_of(REQUESTS, BROKEN, st.integers(0, 12)), max_size=60)


def record(offset: int, units: int, currency: str) -> Any:
    value = orjson.dumps({"amount": format_units(units), "currency": currency}) if currency else b"\xff{"
    return SimpleNamespace(offset=offset, value=value)


@given(begin=st.integers(0, 5), steps=STEPS)
def test_what_is_added_and_not_dropped_is_counted(begin: int, steps: list[Any]) -> None:
    unapplied, waiting, last = Unapplied(begin), list[tuple[int, int, str]](), begin - 1
    applied = begin
    for step in steps:
        if isinstance(step, int):
            applied = min(applied + step, last + 1)
            unapplied.drop_below(applied)
            waiting = [one for one in waiting if one[0] >= applied]
        else:
            distance, units, currency = step
            last += distance
            unapplied.add([record(last, units, currency)])
            waiting.append((last, units, currency))
    sums: defaultdict[str, int] = defaultdict(int)
    for _, units, currency in waiting:
        if units:
            sums[currency] += units
    assert unapplied.amounts() == sums
    assert len(unapplied) == len(waiting)
    assert unapplied.unreadable == sum(not units for _, units, _ in waiting)
    assert unapplied.next_offset == last + 1
