"""A lane: what it does with a channel that hangs, breaks, or is told to end."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from counted import Since

from sinks.channels import Channel
from sinks.delivery.queue import Message, Taken
from sinks.delivery.shares import Delivery
from sinks.delivery.tries import ACCEPTED, Step, Verdict
from streams import deliverer
from streams.deliverer import Lane


class QueueOf:
    """Hands messages out as there are places, and keeps what became of them."""

    def __init__(self, count: int) -> None:
        self._left = [a_message() for _ in range(count)]
        self.steps: list[Step] = []

    async def take(self, _channel: Channel, count: int, _in_hand: Mapping[UUID, int]) -> Taken:
        taken, self._left = self._left[:count], self._left[count:]
        return Taken(taken, len(taken))

    async def note(self, _message: Message, step: Step) -> None:
        self.steps.append(step)


class Scripted:
    """A channel that does with each message what it is given to do."""

    def __init__(self, send: Callable[[], Coroutine[Any, Any, Verdict]]) -> None:
        self._send = send
        self.is_closed = False

    async def send(self, _message: Message) -> Verdict:
        return await self._send()

    async def close(self) -> None:
        self.is_closed = True


def a_message() -> Message:
    return Message("webhook", (Delivery(uuid4(), "sender", uuid4(), 0, b""),), 1, datetime.now(UTC))


def a_lane(queue: QueueOf, channel: Scripted, **options: Any) -> Lane:
    return Lane("webhook", queue, channel, **({"places": 2} | options))  # type: ignore[arg-type]


async def hang() -> Verdict:
    await asyncio.Event().wait()
    return ACCEPTED


async def test_a_try_that_hangs_is_ended_and_retried() -> None:
    queue, since = QueueOf(1), Since()
    lane = a_lane(queue, Scripted(hang), try_s_max=0.01)
    await lane.take()
    await lane.idle()
    [step] = queue.steps
    assert (step.status, step.why) == ("pending", "not done in time")
    assert since("hfts_deliveries_total", channel="webhook", result="retried") == 1


async def test_a_fault_of_ours_costs_one_try_and_not_the_process() -> None:
    async def break_down() -> Verdict:
        raise KeyError("anna@example.com")

    queue = QueueOf(1)
    lane = a_lane(queue, Scripted(break_down))
    await lane.take()
    await lane.idle()
    [step] = queue.steps
    assert (step.status, step.why) == ("pending", "a fault of ours (KeyError)")


async def test_no_more_are_under_way_than_there_are_places() -> None:
    queue, gate = QueueOf(5), asyncio.Event()

    async def wait() -> Verdict:
        await gate.wait()
        return ACCEPTED

    lane = a_lane(queue, Scripted(wait))
    assert [await lane.take(), await lane.take()] == [2, 0]
    gate.set()
    await lane.idle()
    assert [step.status for step in queue.steps] == ["delivered"] * 2


async def test_it_ends_after_what_is_under_way_or_cuts_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async def accept() -> Verdict:
        return ACCEPTED

    for send, steps in ((accept, 2), (hang, 0)):
        queue, channel = QueueOf(2), Scripted(send)
        lane = a_lane(queue, channel)
        monkeypatch.setattr(deliverer, "STOP_S_MAX", 0.01)
        running = asyncio.create_task(lane.run())
        await asyncio.sleep(0)
        await lane.end()
        await running
        assert (len(queue.steps), channel.is_closed) == (steps, True)


async def test_what_it_was_taking_when_it_was_told_to_end_is_delivered_before_it_ends() -> None:
    taking, gate = asyncio.Event(), asyncio.Event()

    class Slow(QueueOf):
        async def take(self, channel: Channel, count: int, in_hand: Mapping[UUID, int]) -> Taken:
            taking.set()
            await gate.wait()
            return await super().take(channel, count, in_hand)

    async def accept() -> Verdict:
        assert not channel.is_closed
        return ACCEPTED

    queue, channel = Slow(2), Scripted(accept)
    lane = a_lane(queue, channel)
    running = asyncio.create_task(lane.run())
    await taking.wait()
    ending = asyncio.create_task(lane.end())
    await asyncio.sleep(0)
    gate.set()
    await ending
    assert ([step.status for step in queue.steps], channel.is_closed) == (["delivered"] * 2, True)
    await running
    assert len(queue.steps) == 2, "and nothing after that"


async def test_a_database_that_is_away_does_not_keep_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away(QueueOf):
        async def take(self, _channel: Channel, _count: int, _in_hand: Mapping[UUID, int]) -> Taken:
            await asyncio.Event().wait()
            raise AssertionError

    monkeypatch.setattr(deliverer, "STOP_S_MAX", 0.01)
    lane = a_lane(Away(0), Scripted(hang))
    running = asyncio.create_task(lane.run())
    await asyncio.sleep(0)
    await lane.end()
    assert running.cancelled()
