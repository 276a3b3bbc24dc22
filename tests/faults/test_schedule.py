"""The schedule of faults is a function of its seed."""

from itertools import pairwise

import pytest

from schemas.crash_points import CrashPoint
from tests.faults.runner.deck import DELIVERER_POINTS, choose, crash_points, full_deck, topology
from tests.faults.runner.faults import FAULTS
from tests.faults.runner.schedule import Pace, make_schedule

THERE = topology(workers=2, brokers=3)
DECK = full_deck(THERE)


def test_a_seed_always_gives_the_same_schedule() -> None:
    assert make_schedule(7, 900, DECK, Pace()) == make_schedule(7, 900, DECK, Pace())
    assert make_schedule(7, 900, DECK, Pace()) != make_schedule(8, 900, DECK, Pace())


def test_a_longer_schedule_begins_like_a_shorter_one() -> None:
    short, long = (make_schedule(7, duration_s, DECK, Pace()) for duration_s in (300, 900))
    assert long[: len(short)] == short


@pytest.mark.parametrize("seed", range(20))
def test_faults_follow_one_another_and_end_in_time(seed: int) -> None:
    schedule = make_schedule(seed, 900, DECK, Pace())
    ends_s = [planned.at_s + max(draw.hold_s for draw in planned.draws) for planned in schedule]
    assert all(end_s < later.at_s for end_s, (_, later) in zip(ends_s, pairwise(schedule), strict=False))
    assert ends_s[-1] <= 900


@pytest.mark.parametrize("seed", range(20))
def test_faults_that_begin_together_strike_different_targets(seed: int) -> None:
    together = [planned.draws for planned in make_schedule(seed, 900, DECK, Pace()) if len(planned.draws) > 1]
    assert together
    assert all(one.card.target != other.card.target for one, other in together)


def test_every_kind_of_fault_comes_up_before_any_comes_up_again() -> None:
    schedule = make_schedule(3, 3600, DECK, Pace(combined=0.0))
    kinds = [draw.card.kind for planned in schedule for draw in planned.draws]
    round_of = len(FAULTS)
    assert len(kinds) > 2 * round_of
    assert set(kinds[:round_of]) == set(kinds[round_of : 2 * round_of]) == set(FAULTS)


def test_every_target_gets_every_fault_in_the_end() -> None:
    schedule = make_schedule(3, 48 * 3600, DECK, Pace(combined=0.0))
    assert {draw.card for planned in schedule for draw in planned.draws} == set(DECK)


def test_the_deck_knows_every_kind_of_fault_and_every_crash_point() -> None:
    assert {card.kind for card in DECK} == set(FAULTS)
    assert {point for name in THERE.own for point in crash_points(name)} == set(CrashPoint) - set(DELIVERER_POINTS)


def test_faults_are_chosen_by_words() -> None:
    chosen = choose(DECK, "kill worker, disk full")
    assert {card.kind for card in chosen} == {"kill", "disk full"}
    assert choose(DECK, "") == DECK
    with pytest.raises(ValueError, match="earthquake"):
        choose(DECK, "earthquake")
