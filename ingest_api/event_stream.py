"""The answer that does not end: server-sent events, until the client leaves, or its access expires or is revoked."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ingest_api.disconnects import left
from ingest_api.tokens import Caller

MEDIA_TYPE = "text/event-stream"

CANCELLED_AGAIN_AFTER_S = 0.5

_HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # a proxy must not hold events back
}


class EventStream(Response):
    """Sends what ``opened`` gives, to its end. Ends with the caller's access, so that nobody looks on who may no
    longer, and when ``leaving`` is set. ``clock`` gives seconds since 1970.
    """

    media_type = MEDIA_TYPE

    def __init__(
        self,
        opened: AbstractAsyncContextManager[AsyncGenerator[bytes]],
        caller: Caller,
        *,
        leaving: asyncio.Event,
        is_over: Callable[[Caller], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._opened = opened
        self._caller = caller
        self._leaving = leaving
        self._is_over = is_over
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer. Raises ProblemError where the stream cannot be opened."""
        del scope
        async with self._opened as events:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            sending = asyncio.create_task(self._send_all(events, send), name="events")
            gone = asyncio.create_task(left(receive), name="events-disconnect")
            leaving = asyncio.create_task(self._leaving.wait(), name="events-leaving")
            tasks = {sending, gone, leaving}
            try:
                left_s = max(0.0, self._caller.expires_s - self._clock())
                await asyncio.wait(tasks, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await _cancel(tasks)
        with suppress(asyncio.CancelledError):
            sending.result()  # what it ran into is ours to tell
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_all(self, events: AsyncGenerator[bytes], send: Send) -> None:
        async with aclosing(events):
            async for event in events:
                if self._is_over(self._caller):
                    break
                await send({"type": "http.response.body", "body": event, "more_body": True})


async def _cancel(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel them until they have ended: an aiokafka client that is closing at that moment swallows a cancellation."""
    left_over = set(tasks)
    while left_over:
        for task in left_over:
            task.cancel()
        _, left_over = await asyncio.wait(left_over, timeout=CANCELLED_AGAIN_AFTER_S)
