"""Whether the topic of outcomes and the ledger say the same: what counts as a difference, and what does not."""

import time
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from told_outcomes import NOW, consumed, failed, outcome

from ops.monitor.lag_metrics import STALE_S
from ops.monitor.stream_check import History, Kind, Row, Told, compare, read_told
from ops.monitor.stream_metrics import Compared, StreamMetrics
from ops.monitor.stream_reading import plan_reading
from ops.topic_reader import Span
from schemas.headers import REPUBLISHED, SOURCE_OFFSET
from schemas.transfers import encode_outcome
from streams.outcomes import told_transfer

UPTO = {0: 9, 1: -1}


def told(source_offset: int, *, partition: int = 0, is_republished: bool = False) -> Told:
    return Told(partition, 1000 + source_offset, source_offset, is_republished, outcome())


def row(source_offset: int, *, partition: int = 0, age_s: int = 0) -> Row:
    return Row(f"transfer {source_offset}", partition, source_offset, NOW - timedelta(seconds=age_s))


def outcomes(*source_offsets: int) -> dict[int, list[Told]]:
    return {0: [told(each) for each in source_offsets]}


def kinds_of(found: list[Any]) -> list[tuple[Kind, int]]:
    return [(difference.kind, difference.at) for difference in found]


@pytest.mark.parametrize("said", [outcome(), failed(), outcome(reference="lunch", metadata={"a": "b"})])
def test_an_outcome_equals_the_row_that_it_was_made_of(said: Any) -> None:
    record = consumed(encode_outcome(said), (SOURCE_OFFSET, b"7"), partition=1)
    assert compare(read_told(record), told_transfer(record)) is None


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"amount": "2.0000"}, "amount"),
        ({"status": "FAILED"}, "status"),
        ({"source_version": 3, "destination_balance": "6.0000"}, "source_version, destination_balance"),
        ({"reference": "for me"}, "reference"),
    ],
)
def test_whatever_was_changed_is_named(changes: dict[str, Any], names: str) -> None:
    said = outcome()
    stored = told_transfer(consumed(encode_outcome(said), (SOURCE_OFFSET, b"7")))
    changed = read_told(
        consumed(encode_outcome(msgspec.structs.replace(said, **changes)), (SOURCE_OFFSET, b"7"), offset=5)
    )
    difference = compare(changed, stored)
    assert difference
    assert (difference.kind, difference.partition, difference.at) == (Kind.FIELDS_DIFFER, 0, 5)
    assert difference.detail == f"transfer {said.transfer_id} differs in: {names}"


def test_an_outcome_at_another_place_or_without_a_row_differs() -> None:
    record = consumed(encode_outcome(outcome()), (SOURCE_OFFSET, b"7"))
    moved = msgspec.structs.replace(told_transfer(record), request_offset=8)
    found = compare(read_told(record), moved)
    assert found
    assert found.detail.endswith("differs in: source-offset")
    found = compare(read_told(record), None)
    assert found
    assert found.kind is Kind.ROW_MISSING


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (b"", [(SOURCE_OFFSET, b"1")]),
        (encode_outcome(outcome()), []),
        (encode_outcome(outcome(transfer_id="ada")), [(SOURCE_OFFSET, b"1")]),
    ],
)
def test_what_is_no_outcome_is_refused(value: bytes, headers: list[tuple[str, bytes]]) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_told(consumed(value, *headers))


def test_an_outcome_that_was_published_again_is_known() -> None:
    record = consumed(encode_outcome(outcome()), (SOURCE_OFFSET, b"1"), (REPUBLISHED, b"1"))
    assert read_told(record).is_republished


def test_a_row_between_two_that_were_told_of_has_no_outcome() -> None:
    history = History(UPTO)
    assert history.read(outcomes(10, 11, 14), ()) == []
    assert history.read(outcomes(15), ()) == []
    # 12 and 13 may be dead letters: only a row counts.
    assert kinds_of(history.look_for([row(11), row(13), row(15)])) == [(Kind.OUTCOME_MISSING, 13)]


def test_a_row_behind_all_that_was_told_waits_for_its_outcome() -> None:
    history = History(UPTO)
    history.read(outcomes(10), ())
    assert history.look_for([row(11, age_s=30), row(12, age_s=40), row(0, partition=1)]) == []
    assert history.untold_since() == NOW - timedelta(seconds=40)
    assert kinds_of(history.read(outcomes(12), ())) == [(Kind.OUTCOME_MISSING, 11)]
    assert history.read({1: [told(0, partition=1)]}, ()) == []
    assert history.untold_since() is None


def test_what_was_told_before_the_first_reading_is_not_judged() -> None:
    assert History(UPTO).look_for([row(3), row(9)]) == []


def test_what_was_passed_over_is_not_judged() -> None:
    history = History(UPTO)
    history.read(outcomes(10), ())
    history.look_for([row(12)])
    assert history.read(outcomes(20, 22), {0}) == []
    assert kinds_of(history.look_for([row(15), row(21)])) == [(Kind.OUTCOME_MISSING, 21)]


def test_a_partition_that_begins_anew_is_not_judged_by_what_was() -> None:
    history = History(UPTO)
    history.read(outcomes(10), ())
    history.look_for([row(11)])
    history.forget(0)
    assert history.look_for([row(12)]) == []
    assert history.untold_since() is None
    assert history.read(outcomes(3, 5), ()) == []
    assert kinds_of(history.look_for([row(2), row(4)])) == [(Kind.OUTCOME_MISSING, 4)]


def test_outcomes_out_of_their_order_are_told_again_unless_their_topic_was_lost() -> None:
    history = History(UPTO)
    assert kinds_of(history.read(outcomes(10, 12, 11, 12, 13), ())) == [
        (Kind.TOLD_AGAIN, 1011),
        (Kind.TOLD_AGAIN, 1012),
    ]
    assert history.read({0: [told(4, is_republished=True), told(8, is_republished=True)]}, ()) == []


def test_a_row_that_was_told_long_ago_is_not_judged() -> None:
    history = History(UPTO)
    for source_offset in range(10, 80):
        history.read(outcomes(source_offset), ())
    assert history.look_for([row(20), row(79)]) == []


def test_all_that_is_new_is_read() -> None:
    plan = plan_reading({0: 5, 1: 7}, [Span("t", 0, 0, 9), Span("t", 1, 0, 7)], 100)
    assert plan.spans == [Span("t", 0, 5, 9), Span("t", 1, 7, 7)]
    assert (plan.passed_over, plan.offsets_passed_over, plan.anew) == (frozenset(), 0, frozenset())


def test_of_more_than_that_the_newest_of_each_partition() -> None:
    found = [Span("t", 0, 0, 1000), Span("t", 1, 0, 30), Span("t", 2, 0, 0)]
    plan = plan_reading({0: 5, 1: 10, 2: 0}, found, 100)
    assert plan.spans == [Span("t", 0, 920, 1000), Span("t", 1, 10, 30), Span("t", 2, 0, 0)]
    assert (plan.passed_over, plan.offsets_passed_over) == (frozenset({0}), 915)


def test_one_busy_partition_may_have_what_the_others_leave() -> None:
    found = [Span("t", 0, 0, 90), *(Span("t", partition, 0, 1) for partition in range(1, 11))]
    assert plan_reading({}, found, 100).passed_over == frozenset()
    assert [span.end - span.begin for span in plan_reading({}, found, 4).spans] == [1] * 11


def test_a_partition_that_has_become_shorter_begins_at_its_end() -> None:
    plan = plan_reading({0: 50}, [Span("t", 0, 0, 20), Span("t", 1, 3, 8)], 100)
    assert plan.spans == [Span("t", 0, 20, 20), Span("t", 1, 3, 8)]
    assert plan.anew == {0}


def samples(compared: Compared) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(StreamMetrics(compared, time.time))
    lines = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_every_kind_is_told_from_the_beginning_and_nothing_that_was_not_seen() -> None:
    found = samples(Compared())
    assert {f'hfts_stream_ledger_differences_total{{kind="{kind}"}}' for kind in Kind} < found.keys()
    assert not any("seconds" in name for name in found)


def test_how_long_outcomes_are_due_is_told_while_it_is_known() -> None:
    assert samples(Compared(untold_s=12.0, looked_at_s=time.time()))["hfts_stream_ledger_untold_seconds"] == 12
    assert not any(
        "seconds" in name for name in samples(Compared(untold_s=12.0, looked_at_s=time.time() - STALE_S - 1))
    )
