"""What is counted of outcomes, and which of them are read."""

import random
from collections import Counter

import msgspec
import pytest
from builders import consumed, new_id

from ops.dashboard.durations import bucket_of, percentiles_s, upper_s
from ops.dashboard.outcome_sums import LATENCY_WINDOW_S, WALLETS_PER_S_MAX, WINDOW_S, OutcomeSums
from ops.dashboard.sampling import first_offsets, newest
from ops.dashboard.sliding import SlidingCounts
from ops.topic_reader import Span
from sinks.kafka.records import Consumed

NOW_S = 1_800_000_000


def outcome(source: str, destination: str, *, took: str = "0.250000", reason: str | None = None) -> bytes:
    return msgspec.json.encode(
        {
            "transfer_id": new_id(),
            "source_wallet_id": source,
            "destination_wallet_id": destination,
            "requested_at": "2026-01-02T03:04:05Z",
            "completed_at": f"2026-01-02T03:04:{5 + float(took):09.6f}Z",
            "reason": reason,
        }
    )


def at(second: int, value: bytes | None) -> Consumed:
    record = consumed(0, value)
    record.timestamp = second * 1000 + 999
    return record


@pytest.mark.parametrize("micros", [0, 1, 31, 32, 33, 63, 64, 1000, 12_345, 999_999, 10**7, 3 * 10**11])
def test_a_bucket_is_at_most_a_32nd_too_high(micros: int) -> None:
    seconds = micros / 1_000_000
    bucket = bucket_of(seconds + 1e-9)
    assert seconds <= upper_s(bucket) <= seconds * 33 / 32 + 1e-9
    assert upper_s(bucket - 1) < seconds or micros == 0


def test_percentiles_are_those_of_all_durations_sorted() -> None:
    durations = [random.expovariate(5) for _ in range(5000)]
    found = percentiles_s(Counter(map(bucket_of, durations)), (50.0, 95.0, 99.0))
    assert found is not None
    for percent, told in zip((50, 95, 99), found, strict=True):
        exact = sorted(durations)[len(durations) * percent // 100 - 1]
        assert exact <= told <= exact * 1.04 + 1e-5


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentiles_s({}, (50.0,)) is None
    assert percentiles_s({bucket_of(-3.0): 1}, (50.0, 99.0)) == [0.0, 0.0]


def test_counts_slide_out_of_the_window() -> None:
    counts = SlidingCounts[str](10)
    counts.add(100, {"a": 2})
    counts.add(105, {"a": 1, "b": 1})
    counts.add(100, {"a": 1})
    assert counts.at(105.5) == {"a": 4, "b": 1}
    assert counts.at(110.0) == {"a": 1, "b": 1}
    assert counts.at(115.0) == {}


def test_of_a_second_only_the_most_frequent_keys_are_kept() -> None:
    counts = SlidingCounts[int](10, keys_max=3)
    for _ in range(5):
        counts.add(100, {1: 9, 2: 8, 3: 7})
        counts.add(100, {random.randint(10, 10**9): 1 for _ in range(50)})
    assert [key for key, _ in counts.at(100).most_common(3)] == [1, 2, 3]
    assert len(counts.at(100)) <= 6


def test_outcomes_are_summed_up() -> None:
    anna, ben, eve = (new_id() for _ in range(3))
    sums = OutcomeSums()
    sums.add(
        [
            at(NOW_S, outcome(anna, ben)),
            at(NOW_S - LATENCY_WINDOW_S, outcome(anna, eve, took="9.000000")),
            at(NOW_S - 1, outcome(ben, anna, took="1.000000", reason="insufficient_funds")),
            at(NOW_S - 1, outcome(anna, ben, took="2.000000", reason="wallet_frozen")),
            at(NOW_S - 1, outcome(anna, ben, took="2.000000", reason="wallet_frozen")),
            at(NOW_S - WINDOW_S, outcome(eve, eve, reason="same_wallet")),
            at(NOW_S, b"{}"),
            at(NOW_S, None),
        ]
    )
    sums.pass_over(NOW_S, 7)
    told = sums.as_json(NOW_S)
    assert told["failed"] == [["unreadable", "2"], ["wallet_frozen", "2"], ["insufficient_funds", "1"]]
    assert (told["completed"], told["read"], told["passed_over"]) == ("2", "7", "7")
    assert told["latency_count"] == "4"
    assert told["latency_s"] == pytest.approx([1.0, 2.0, 2.0], rel=1 / 32)
    assert told["wallets"] == [
        {"wallet_id": anna, "sent": "4", "received": "1"},
        {"wallet_id": ben, "sent": "1", "received": "3"},
        {"wallet_id": eve, "sent": "0", "received": "1"},
    ]


def test_a_wallet_that_is_busy_for_long_is_found_among_very_many() -> None:
    hot = new_id()
    sums = OutcomeSums()
    for second in range(NOW_S - 60, NOW_S):
        crowd = [at(second, outcome(new_id(), new_id())) for _ in range(3 * WALLETS_PER_S_MAX)]
        sums.add([*crowd, *(at(second, outcome(hot, new_id())) for _ in range(5))])
    hottest = sums.as_json(NOW_S)["wallets"][0]
    assert hottest == {"wallet_id": hot, "sent": "300", "received": "0"}


def test_all_that_is_new_is_read_while_it_is_little() -> None:
    spans = [Span("t", 0, 0, 100), Span("t", 1, 50, 60), Span("t", 2, 0, 0)]
    assert first_offsets(spans, 30) == {0: 90, 1: 50, 2: 0}
    assert newest(spans, {0: 90, 1: 60, 2: 0}, 20) == ([Span("t", 0, 90, 100)], 0)
    assert newest(spans, {}, 1000) == ([Span("t", 0, 0, 100), Span("t", 1, 50, 60)], 0)


def test_of_too_much_the_newest_is_read_by_its_share() -> None:
    spans = [Span("t", 0, 0, 900), Span("t", 1, 0, 100)]
    read, passed_over = newest(spans, {}, 100)
    assert read == [Span("t", 0, 810, 900), Span("t", 1, 90, 100)]
    assert passed_over == 900


def test_a_topic_that_was_made_anew_is_read_from_its_beginning() -> None:
    assert newest([Span("t", 0, 0, 5)], {0: 77}, 100) == ([], 0)
