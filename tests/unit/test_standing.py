"""Whether the ledger and the topics belong together."""

from typing import Any

import pytest
from builders import MemoryTopics

from ops.recover.look import Findings
from ops.recover.renewing import _between
from schemas.settings import Settings
from sinks.errors import ShorterTopicError
from sinks.kafka.records import Record
from streams.stage import refuse_shorter
from streams.standing import Standing, fault_of, renewing


def standing(**changes: Any) -> Standing:
    """One that is as it should be: ten requests, eight applied, seven told of."""
    fields: dict[str, Any] = {"partition": 3, "applied": 8, "told": 6, "requests": (0, 10)}
    return Standing(**(fields | changes))


SOUND = [
    standing(),
    standing(applied=10, told=9),
    standing(requests=(10, 10), applied=10, told=9),  # all are older than they are kept
    standing(requests=(12, 12), applied=10, told=9),  # with markers behind them
    standing(applied=0, told=-1),
    standing(applied=5, told=-1),  # nobody could apply what came
]


@pytest.mark.parametrize("sound", SOUND)
def test_nothing_is_in_the_way(sound: Standing) -> None:
    assert fault_of([sound], unfinished=False) is None
    assert not sound.is_behind


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (standing(applied=11), "partition 3 of the requests ends at 10, and the ledger has applied it up to 11"),
        (standing(requests=(0, 0)), "ends at 0, and the ledger has applied it up to 8"),
        (standing(told=-1, is_untold=True), "partition 3 has no outcomes any more"),
    ],
)
def test_what_kafka_has_lost_is_named(broken: Standing, fault: str) -> None:
    found = fault_of([standing(), broken], unfinished=False) or ""
    assert fault in found
    assert found.endswith("Run hfts recover")


def test_who_has_begun_must_end() -> None:
    assert "run it again" in (fault_of([standing()], unfinished=True) or "")


def test_a_ledger_that_lacks_what_was_told_is_behind() -> None:
    restored = standing(told=8)
    assert restored.is_behind
    assert fault_of([restored], unfinished=False) is None  # it catches up by itself


def test_what_is_noted_is_no_topics_progress() -> None:
    settings = Settings(_env_file=None, postgres_password="x", secret_key="x" * 32, topic_prefix="test.")
    assert renewing(settings) == "renewing:test.transfers.requested"  # Kafka allows no colon in a name


def test_all_that_is_wrong_is_said() -> None:
    found = Findings(
        standings=[standing(applied=11), standing(partition=4, told=8)],
        renewals={3: 11},
        untold={3: 1_000, 5: 2},
        undelivered_end={1: 0},
        lost_actions={0: 2},
        letter_ends={0: 0},
        replaced=[5],
        followed_beyond=["audit has"],
    )
    assert found.lines() == [
        "audit has",
        "an earlier run was cut off, and workers wait for its end",
        "the ledger lacks outcomes that were told, of partitions 4",
        "the requests of partition 3 end at 10, and were applied up to 11",
        "the requests of partitions 5 are others than those that were applied",
        "1,002 outcomes are gone, of partitions 3, 5",
        "the notifications end before what was delivered, of partitions 1",
        "2 dead letters that were replayed or discarded are gone",
    ]


@pytest.mark.parametrize(
    ("spans", "bounds", "rest"),
    [
        ([], (0, 5), [(0, 5)]),
        ([], (5, 5), []),
        ([(0, 5)], (0, 5), []),
        ([(2, 4), (5, 9)], (0, 7), [(0, 2), (4, 5)]),
        ([(2, 4), (5, 9)], (3, 12), [(4, 5), (9, 12)]),
    ],
)
def test_what_lies_between_fillers(
    spans: list[tuple[int, int]], bounds: tuple[int, int], rest: list[tuple[int, int]]
) -> None:
    assert _between(spans, bounds) == rest


async def test_a_follower_refuses_a_topic_that_has_become_shorter() -> None:
    topics = MemoryTopics()
    topics.records["outcomes", 0] = topics.records["outcomes", 1] = [Record(None, b"", [])] * 5
    await refuse_shorter(topics, "outcomes", {0: 5, 1: 0})
    await refuse_shorter(topics, "outcomes", {})
    with pytest.raises(ShorterTopicError, match="partition 1 ends at 5, not at 6") as caught:
        await refuse_shorter(topics, "outcomes", {0: 5, 1: 6})
    assert "Run hfts recover" in str(caught.value)
