"""Counting the requests of a wallet that wait, on a topic that goes on."""

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError
from builders import consumed

from schemas.settings import Settings
from sinks.errors import BrokerAwayError
from sinks.kafka import pending
from sinks.kafka.pending import Pending, PendingReader

KEY, OTHER = b"wallet", b"other"
TOPIC = "transfers.requested"


class FakeConsumer:
    """A topic of one partition, in memory."""

    made = 0
    fault: Exception | None = None
    keys: list[bytes] = []  # noqa: RUF012 (the topic of all consumers of a test)

    def __init__(self, **_: Any) -> None:
        type(self).made += 1
        self.at = 0
        self.has_stopped = False

    async def start(self) -> None:
        if self.fault is not None:
            raise self.fault

    async def stop(self) -> None:
        self.has_stopped = True

    async def end_offsets(self, where: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {where[0]: len(self.keys)}

    async def beginning_offsets(self, where: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {where[0]: 1}

    def assign(self, _: list[TopicPartition]) -> None:
        pass

    def seek(self, _: TopicPartition, offset: int) -> None:
        self.at = offset

    async def position(self, _: TopicPartition) -> int:
        return self.at

    async def getmany(self, where: TopicPartition, *, max_records: int, **_: Any) -> dict[TopicPartition, Any]:
        if self.fault is not None:
            raise self.fault
        # More comes in while it is read.
        type(self).keys = [*self.keys, KEY]
        begin, self.at = self.at, min(self.at + max_records, len(self.keys))
        return {where: [consumed(offset, b"", key=self.keys[offset]) for offset in range(begin, self.at)]}


@pytest.fixture(autouse=True)
def consumers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeConsumer, "made", 0)
    monkeypatch.setattr(FakeConsumer, "fault", None)
    monkeypatch.setattr(FakeConsumer, "keys", [KEY, OTHER, KEY, KEY, OTHER, KEY])
    monkeypatch.setattr(pending, "AIOKafkaConsumer", FakeConsumer)


def a_reader(monkeypatch: pytest.MonkeyPatch, *applied: int) -> PendingReader:
    """One for whom the partition is applied up to these offsets, at one look after another."""
    monkeypatch.setenv("POSTGRES_PASSWORD", "none")
    monkeypatch.setenv("SECRET_KEY", "none" * 8)
    left = list(applied)

    async def partitions() -> int:
        return 1

    async def next_offset(_: int) -> int:
        await asyncio.sleep(0)  # others have their turn
        return left.pop(0) if len(left) > 1 else left[0]

    return PendingReader(Settings(), partitions, next_offset)


@pytest.mark.parametrize(
    ("applied", "count", "from_offset"),
    [((0,), 3, 0), ((2,), 3, 2), ((3,), 2, 3), ((6,), 0, 6), ((9,), 0, 9), ((0, 4), 1, 4), ((2, 6), 0, 6)],
)
async def test_what_waits_from_the_question_to_the_answer(
    monkeypatch: pytest.MonkeyPatch, applied: tuple[int, ...], count: int, from_offset: int
) -> None:
    """Retention has taken the first record. What is applied meanwhile does not wait, what comes meanwhile does not
    count."""
    found = await a_reader(monkeypatch, *applied).of_key(KEY)
    assert found == Pending(count, True, 0, from_offset, max(6, from_offset))


async def test_no_more_is_looked_at_than_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "POLL_RECORDS", 2)
    monkeypatch.setattr(pending, "RECORDS_MAX", 2)
    assert await a_reader(monkeypatch, 2).of_key(KEY) == Pending(2, False, 0, 2, 4)


async def test_a_broker_that_is_away_is_asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = a_reader(monkeypatch, 0)
    for _ in range(2):
        monkeypatch.setattr(FakeConsumer, "fault", KafkaConnectionError("away"))
        with pytest.raises(BrokerAwayError):
            await reader.of_key(KEY)
        monkeypatch.setattr(FakeConsumer, "fault", None)
        assert (await reader.of_key(KEY)).pending == 3
        monkeypatch.setattr(FakeConsumer, "keys", [KEY, OTHER, KEY, KEY, OTHER, KEY])
    assert FakeConsumer.made == 3
    await reader.stop()
    await reader.stop()


async def test_whoever_waits_for_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "ANSWER_S_MAX", 0.0)
    with pytest.raises(BrokerAwayError, match="in time"):
        await a_reader(monkeypatch, 0).of_key(KEY)


async def test_questions_are_answered_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = a_reader(monkeypatch, 0)
    found = await asyncio.gather(*(reader.of_key(KEY) for _ in range(5)))
    assert [one.pending for one in found][:1] == [3]
    assert FakeConsumer.made == 1
