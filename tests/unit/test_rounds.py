"""Rounds of record batches, on a producer whose brokers answer when the test says so."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from aiokafka.errors import OutOfOrderSequenceNumber
from aiokafka.producer.message_accumulator import BatchBuilder

from sinks.errors import BrokerAwayError
from sinks.kafka import rounds
from sinks.kafka.partitions import partition_of
from sinks.kafka.positions import Position
from sinks.kafka.rounds import Rounds

PARTITIONS = 4
KEYS = {partition_of(key, PARTITIONS): key for key in (b"%d" % number for number in range(50))}
"""A key for each partition."""


class Metadata(NamedTuple):
    offset: int


class Producer:
    """Keeps what it is handed: partition, number of records and the outcome to come."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, int, asyncio.Future[Any]]] = []
        self.fault: Exception | None = None

    async def partitions_for(self, _: str) -> set[int]:
        return set(range(PARTITIONS))

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(10_000, 0)

    async def send_batch(self, batch: BatchBuilder, _: str, *, partition: int) -> "asyncio.Future[Any]":
        if self.fault is not None:
            raise self.fault
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.batches.append((partition, batch.record_count(), future))
        return future

    def answer(self, *offsets: int) -> None:
        """Confirm the batches that wait, in turn."""
        for (_, _, future), offset in zip([each for each in self.batches if not each[2].done()], offsets, strict=True):
            future.set_result(Metadata(offset))


class Setting(NamedTuple):
    rounds: Rounds
    producer: Producer
    retired: list[Any]


@pytest.fixture
async def setting(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Setting]:
    monkeypatch.setattr(rounds, "ROUND_S_MAX", 3600)
    retired: list[Any] = []
    found = Setting(Rounds("topic", None, retired.append), Producer(), retired)
    found.rounds.use(found.producer)
    yield found
    found.rounds.stop()


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_comes_in_one_turn_goes_together(setting: Setting) -> None:
    waiters = [setting.rounds.add(KEYS[number % 2], b"x", []) for number in range(6)]
    await turns()
    assert [batch[:2] for batch in setting.producer.batches] == [(0, 3), (1, 3)]
    setting.producer.answer(10, 20)
    assert await asyncio.gather(*waiters) == [
        Position(partition, base + at) for at in range(3) for partition, base in ((0, 10), (1, 20))
    ]


async def test_headers_go_with_their_record(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[tuple[bytes, list[tuple[str, bytes]]]] = []

    class Noting(BatchBuilder):
        def append(self, *, timestamp: Any, key: Any, value: Any, headers: Any = ()) -> Any:
            noted.append((value, list(headers)))
            return super().append(timestamp=timestamp, key=key, value=value, headers=headers)

    monkeypatch.setattr(setting.producer, "create_batch", lambda: Noting(10_000, 0))  # type: ignore[no-untyped-call]
    waiters = [setting.rounds.add(KEYS[0], b"1", []), setting.rounds.add(KEYS[0], b"2", [("traceparent", b"t")])]
    await turns()
    setting.producer.answer(0)
    await asyncio.gather(*waiters)
    monkeypatch.setattr(setting.rounds, "_signer", SimpleNamespace(header=lambda value: ("signature", value)))
    waiters = [setting.rounds.add(KEYS[0], b"3", [("traceparent", b"t")])]
    await turns()
    setting.producer.answer(2)
    await asyncio.gather(*waiters)
    assert noted == [
        (b"1", []),
        (b"2", [("traceparent", b"t")]),
        (b"3", [("traceparent", b"t"), ("signature", b"3")]),
    ]


async def test_what_comes_meanwhile_goes_with_the_next(setting: Setting) -> None:
    first = setting.rounds.add(KEYS[0], b"x", [])
    await turns()
    others = [setting.rounds.add(KEYS[number % 2], b"x", []) for number in range(4)]
    await turns()
    assert len(setting.producer.batches) == 1
    setting.producer.answer(5)
    assert await first == Position(0, 5)
    await turns()
    assert [batch[:2] for batch in setting.producer.batches[1:]] == [(0, 2), (1, 2)]
    setting.producer.answer(6, 0)
    assert [await each for each in others] == [Position(0, 6), Position(1, 0), Position(0, 7), Position(1, 1)]


async def test_a_partition_that_is_held_up_does_not_stop_the_others(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "ROUND_S_MAX", 0)
    held_up = setting.rounds.add(KEYS[0], b"x", [])
    await turns()
    behind, other = setting.rounds.add(KEYS[0], b"x", []), setting.rounds.add(KEYS[1], b"x", [])
    async with asyncio.timeout(10):
        while len(setting.producer.batches) < 2:  # noqa: ASYNC110 (a timer of the loop's)
            await asyncio.sleep(0)
    assert setting.producer.batches[1][:2] == (1, 1)
    setting.producer.batches[1][2].set_result(Metadata(0))
    assert await other == Position(1, 0)
    await turns()
    assert len(setting.producer.batches) == 2
    setting.producer.answer(8)
    assert await held_up == Position(0, 8)
    await turns()
    setting.producer.answer(9)
    assert await behind == Position(0, 9)


async def test_who_waits_no_longer_is_not_sent(setting: Setting) -> None:
    setting.rounds.use(None)
    gone, stays = setting.rounds.add(KEYS[0], b"x", []), setting.rounds.add(KEYS[0], b"x", [])
    gone.cancel()
    await turns()
    setting.rounds.use(setting.producer)
    await turns()
    assert [batch[:2] for batch in setting.producer.batches] == [(0, 1)]
    setting.producer.answer(0)
    assert await stays == Position(0, 0)


async def test_a_batch_that_fails(setting: Setting) -> None:
    bad, good = setting.rounds.add(KEYS[0], b"x", []), setting.rounds.add(KEYS[1], b"x", [])
    await turns()
    setting.producer.batches[0][2].set_exception(OutOfOrderSequenceNumber())
    setting.producer.answer(3)
    with pytest.raises(BrokerAwayError):
        await bad
    assert await good == Position(1, 3)
    assert setting.retired == [setting.producer]


async def test_a_producer_that_takes_nothing(setting: Setting) -> None:
    setting.producer.fault = OutOfOrderSequenceNumber()
    waiters = [setting.rounds.add(KEYS[number], b"x", []) for number in range(3)]
    for waiter in waiters:
        with pytest.raises(BrokerAwayError):
            await waiter
    setting.producer.fault = None
    again = setting.rounds.add(KEYS[0], b"x", [])
    await turns()
    setting.producer.answer(0)
    assert await again == Position(0, 0)


async def test_another_producer_takes_over(setting: Setting) -> None:
    """The outcome of the first one's batch never comes: its waiter gives up, and nobody else waits."""
    lost = setting.rounds.add(KEYS[0], b"x", [])
    await turns()
    setting.rounds.use(None)
    next_one = Producer()
    waiting = setting.rounds.add(KEYS[0], b"x", [])
    await turns()
    setting.rounds.use(next_one)
    await turns()
    next_one.answer(0)
    assert await waiting == Position(0, 0)
    assert not lost.done()
