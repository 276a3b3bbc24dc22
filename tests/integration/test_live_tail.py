"""Following topics from their ends, while somebody wants to know."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiokafka import TopicPartition
from plain_topics import put_records

from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, TRANSFERS_OUTCOMES
from sinks.kafka import live_tail
from sinks.kafka.live_tail import Ends, LiveTail
from sinks.kafka.records import Consumed, Record
from sinks.kafka.topics import ensure_topics

CLOSED_PORT = 9
TIMEOUT_S = 30.0


class Notes:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.is_wanted = True
        self.ends: list[Ends] = []
        self.told: asyncio.Queue[tuple[str, int, bytes | None]] = asyncio.Queue()
        self.lost = asyncio.Event()

    def begin(self, ends: Ends) -> None:
        self.lost.clear()
        self.ends.append(ends)

    def take(self, where: TopicPartition, records: Sequence[Consumed]) -> None:
        for record in records:
            self.told.put_nowait((where.topic, where.partition, record.value))

    def lose(self) -> None:
        self.lost.set()


@asynccontextmanager
async def following(settings: Settings, notes: Notes) -> AsyncIterator[LiveTail]:
    topics = [settings.topic_name(topic) for topic in (TRANSFERS_OUTCOMES, DEAD_LETTERS)]
    tail = LiveTail(settings, topics, notes)
    running = asyncio.create_task(tail.run())
    try:
        yield tail
    finally:
        tail.stop()
        await asyncio.wait_for(running, TIMEOUT_S)


def record(value: bytes) -> Record:
    return Record(b"key", value, [])


async def test_what_comes_is_told_and_what_was_there_is_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes, letters = settings.topic_name(TRANSFERS_OUTCOMES), settings.topic_name(DEAD_LETTERS)
    await put_records(settings, outcomes, 1, [record(b"old")])
    notes = Notes()
    async with following(settings, notes) as tail:
        assert await tail.follow(TIMEOUT_S)
        assert await tail.follow(0)
        assert notes.ends == [
            {
                TopicPartition(topic, p): int(topic == outcomes and p == 1)
                for topic in (outcomes, letters)
                for p in range(3)
            }
        ]
        for topic, partition in ((outcomes, 0), (outcomes, 1), (letters, 2)):
            await put_records(settings, topic, partition, [record(b"new")])
            assert await asyncio.wait_for(notes.told.get(), TIMEOUT_S) == (topic, partition, b"new")
        # When nobody wants to know any more, it ends, and begins at the new ends.
        monkeypatch.setattr(live_tail, "LINGER_S", 0.0)
        notes.is_wanted = False
        await asyncio.wait_for(notes.lost.wait(), TIMEOUT_S)
        await put_records(settings, outcomes, 0, [record(b"missed")])
        notes.is_wanted = True
        assert await tail.follow(TIMEOUT_S)
        assert notes.ends[1][TopicPartition(outcomes, 0)] == 2
        assert notes.told.empty()
    assert notes.lost.is_set()


async def test_without_a_broker_nobody_waits_for_long(settings: Settings) -> None:
    away = settings.model_copy(update={"kafka_bootstrap_servers": f"127.0.0.1:{CLOSED_PORT}"})
    async with following(away, Notes()) as tail:
        assert not await tail.follow(0.1)


async def test_topics_that_are_made_later(database_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_tail, "RETRY_S", 0.05)
    async with following(database_settings, Notes()) as tail:
        assert not await tail.follow(0.1)
        await ensure_topics(database_settings)
        assert await tail.follow(TIMEOUT_S)
