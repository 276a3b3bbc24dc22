"""Streams of looks: how many there may be, and when they end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ingest_api import event_stream
from ingest_api.event_stream import EventStream
from ingest_api.problems import ProblemError
from ingest_api.tokens import Caller
from ops.dashboard.look_stream import look_stream
from ops.dashboard.streams import CALLER_MAX, LINGER_S, STREAMS_MAX, Streams
from schemas.access import RIGHTS


class FakePulse:
    """An event as soon as somebody lets it out."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[bytes] = asyncio.Queue()
        self.number = 0

    def first_event(self) -> tuple[int, bytes]:
        return self.number, b"event: start\n\n"

    async def event_after(self, number: int) -> tuple[int, bytes]:
        return number + 1, await self.events.get()


class Client:
    """What a connection sends and gets."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.got: asyncio.Queue[Any] = asyncio.Queue()

    async def receive(self) -> Any:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await self.got.put(message)

    async def body(self) -> bytes:
        message = await self.got.get()
        assert message["type"] == "http.response.body"
        return bytes(message["body"])


class Scene:
    """One stream."""

    def __init__(self, caller: Caller) -> None:
        self.pulse, self.streams, self.client = FakePulse(), Streams(), Client()
        self.leaving, self.is_over = asyncio.Event(), False
        pulse: Any = self.pulse
        opened = look_stream(pulse, self.streams, caller.user_id)
        self.answer = EventStream(opened, caller, leaving=self.leaving, is_over=lambda _: self.is_over)

    async def run(self) -> None:
        await self.answer({"type": "http"}, self.client.receive, self.client.send)


def caller(expires_s: float = 2.0**40) -> Caller:
    return Caller("somebody", "ops", RIGHTS["ops"], expires_s=expires_s)


async def test_events_come_until_the_client_has_left() -> None:
    scene = Scene(caller())
    running = asyncio.create_task(scene.run())
    start = await scene.client.got.get()
    assert start["status"] == 200
    headers = dict(start["headers"])
    assert headers[b"content-type"].startswith(b"text/event-stream")
    assert b"content-length" not in headers
    assert await scene.client.body() == b"event: start\n\n"
    await scene.pulse.events.put(b"event: look\n\n")
    assert await scene.client.body() == b"event: look\n\n"
    assert scene.streams.count == 1
    scene.client.left.set()
    await running
    assert scene.streams.count == 0


async def test_it_ends_with_the_next_event_when_access_is_revoked() -> None:
    scene = Scene(caller())
    running = asyncio.create_task(scene.run())
    await scene.client.got.get()
    assert await scene.client.body() == b"event: start\n\n"
    scene.is_over = True
    await scene.pulse.events.put(b"event: look\n\n")
    assert await scene.client.body() == b""
    await running


async def the_token_expires(_: Scene) -> None: ...


async def the_server_leaves(scene: Scene) -> None:
    scene.leaving.set()


@pytest.mark.parametrize(
    ("expires_s", "end"), [(0.0, the_token_expires), (2.0**40, the_server_leaves)], ids=["token", "server"]
)
async def test_it_ends_in_order(expires_s: float, end: Callable[[Scene], Awaitable[None]]) -> None:
    scene = Scene(caller(expires_s))
    running = asyncio.create_task(scene.run())
    await end(scene)
    await running
    messages = [scene.client.got.get_nowait() for _ in range(scene.client.got.qsize())]
    assert messages[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert scene.streams.count == 0


async def test_what_sending_runs_into_is_told() -> None:
    scene = Scene(caller())

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            raise OSError("the connection is lost")

    with pytest.raises(OSError, match="lost"):
        await scene.answer({"type": "http"}, scene.client.receive, send)
    assert scene.streams.count == 0


async def test_a_cancellation_that_gets_lost_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "CANCELLED_AGAIN_AFTER_S", 0.01)
    scene = Scene(caller())

    async def event_after(number: int) -> tuple[int, bytes]:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            scene.pulse.event_after = FakePulse().event_after  # type: ignore[method-assign]
        return number, b": still here\n\n"

    scene.pulse.event_after = event_after  # type: ignore[method-assign]
    running = asyncio.create_task(scene.run())
    await scene.client.got.get()
    await scene.client.body()
    scene.leaving.set()
    await running
    assert scene.streams.count == 0


def test_one_account_may_open_a_few_and_all_a_few_more() -> None:
    streams = Streams()
    opened = [streams.one_more("a") for _ in range(CALLER_MAX)]
    for one in opened:
        one.__enter__()
    with pytest.raises(ProblemError) as refused, streams.one_more("a"):
        pass
    assert (refused.value.status_code, refused.value.code) == (429, "too_many_requests")
    for number in range(STREAMS_MAX - CALLER_MAX):
        opened.append(streams.one_more(str(number)))
        opened[-1].__enter__()
    with pytest.raises(ProblemError) as refused, streams.one_more("b"):
        pass
    assert (refused.value.status_code, refused.value.code) == (503, "overloaded")
    for one in opened:
        one.__exit__(None, None, None)
    assert streams.count == 0


def test_they_are_watched_for_a_little_longer_than_they_are_open() -> None:
    now_s = 100.0
    streams = Streams(clock=lambda: now_s)
    watched = [streams.are_watched]
    with streams.one_more("a"):
        watched.append(streams.are_watched)
    watched.append(streams.are_watched)
    now_s += LINGER_S
    watched.append(streams.are_watched)
    assert watched == [False, True, True, False]


async def test_whoever_waits_for_a_stream_is_told() -> None:
    streams = Streams()
    waiting = asyncio.create_task(streams.opened())
    await asyncio.sleep(0)
    with streams.one_more("a"):
        await waiting
        await streams.opened()
