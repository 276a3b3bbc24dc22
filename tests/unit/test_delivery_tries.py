"""How often something is tried, and what becomes of it."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from sinks.delivery.message_ids import message_id
from sinks.delivery.shares import IN_HAND_MAX, Delivery, Window, digest_id, room_wanted, share_out
from sinks.delivery.tries import (
    ACCEPTED,
    PAUSE_S_MAX,
    RETRIES_MAX,
    TRIES_MAX,
    TRY_S_MAX,
    WHY_CHARS_MAX,
    Step,
    after,
    failed,
    pause_s,
    refused,
)

NINE, TEN = datetime(2026, 1, 2, 9, tzinfo=UTC), datetime(2026, 1, 2, 10, tzinfo=UTC)
ANNA, BEN = UUID(int=1), UUID(int=2)


def due(user: UUID = ANNA, tries: int = 0) -> Delivery:
    return Delivery(uuid4(), "sender", user, tries, b"")


def test_the_bounds_are_those_that_were_promised() -> None:
    assert (RETRIES_MAX, TRIES_MAX, PAUSE_S_MAX, TRY_S_MAX) == (3, 4, 600.0, 300.0)


def test_pauses_grow_to_a_bound_and_are_jittered_from_nothing_to_all_of_it() -> None:
    assert [pause_s(tries, 1.0) for tries in (1, 2, 3)] == [60.0, 240.0, 600.0]
    assert [pause_s(tries, 0.25) for tries in (1, 2, 3)] == [15.0, 60.0, 150.0]
    assert pause_s(3, 0.0) == 0.0


def test_what_is_accepted_is_done() -> None:
    assert after(ACCEPTED, 4, 0.5) == Step("delivered", 0.0, None)


def test_what_failed_is_tried_again_three_times_and_then_no_more() -> None:
    steps = [after(failed("451 later"), tries, 1.0) for tries in (1, 2, 3, 4)]
    assert [step.status for step in steps] == ["pending", "pending", "pending", "failed"]
    assert [step.pause_s for step in steps[:3]] == [60.0, 240.0, 600.0]
    assert {step.why for step in steps} == {"451 later"}


def test_what_is_refused_for_good_is_not_tried_again() -> None:
    assert after(refused("550 no such user"), 1, 0.5) == Step("failed", 0.0, "550 no such user")


@pytest.mark.parametrize(("asked", "waits"), [(0.0, 30.0), (90.0, 90.0), (86_400.0, 600.0)])
def test_a_pause_that_is_asked_for_is_kept_up_to_the_bound(asked: float, waits: float) -> None:
    assert after(failed("HTTP 429", asked), 1, 0.5).pause_s == waits


def test_a_long_answer_is_cut() -> None:
    assert len(failed("x" * 10_000).why or "") == len(refused("x" * 10_000).why or "") == WHY_CHARS_MAX


def test_a_reason_shows_nobodys_address() -> None:
    assert refused("550 <anna@example.com>: who is that?").why == "550 <a***@example.com>: who is that?"


def test_a_message_has_the_same_id_whenever_it_tells_the_same() -> None:
    one, two = (uuid4(), "sender"), (uuid4(), "receiver")
    assert message_id([one, two], "email") == message_id([two, one], "email")
    assert len({message_id(keys, channel) for keys in ([one], [two], [one, two]) for channel in ("email", "w")}) == 6


def test_those_beyond_the_room_go_into_the_digest_and_retries_take_none() -> None:
    retried, fresh, of_ben = due(tries=1), [due() for _ in range(3)], due(BEN)
    window = Window(NINE, TEN, 2)
    shares = share_out([*fresh, retried, of_ben], {}, {ANNA: window})
    assert shares.go == [*fresh[:2], retried, of_ben]
    assert shares.digested == [(fresh[2], window)]


def test_without_room_all_first_tries_wait_for_the_digest() -> None:
    fresh = [due() for _ in range(9)]
    shares = share_out(fresh, {ANNA: IN_HAND_MAX - 1}, {ANNA: Window(NINE, TEN, 0)})
    assert [delivery for delivery, _ in shares.digested] == fresh


def test_one_user_holds_a_few_places_at_most() -> None:
    of_anna = [due() for _ in range(IN_HAND_MAX)]
    of_ben = due(BEN)
    shares = share_out([*of_anna, of_ben], {ANNA: 1}, {})
    assert shares.go == [*of_anna[:-1], of_ben]
    assert shares.postponed == of_anna[-1:]


def test_no_more_room_is_asked_for_than_can_be_used() -> None:
    deliveries = [*(due() for _ in range(9)), due(BEN, tries=2), due(BEN)]
    assert room_wanted(deliveries, {ANNA: 2}) == {ANNA: IN_HAND_MAX - 2, BEN: 1}


def test_what_was_cut_off_four_times_is_given_up() -> None:
    last = due(tries=TRIES_MAX)
    assert share_out([last], {}, {}).cut_off == [last]


def test_a_digest_is_of_one_user_and_window() -> None:
    nine, ten = Window(NINE, TEN, 0), Window(TEN, TEN, 0)
    assert len({digest_id(user, window) for user in (ANNA, BEN) for window in (nine, ten)}) == 4
    assert digest_id(ANNA, nine) == digest_id(ANNA, Window(NINE, TEN, 5))
