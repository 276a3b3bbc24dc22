"""The answer that does not end: one event after another, until the page closes, or its token expires or is revoked."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ingest_api.tokens import Caller
from ops.dashboard.pulse import Pulse
from ops.dashboard.streams import Streams

MEDIA_TYPE = "text/event-stream"

_HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # a proxy must not hold events back
}


class LookStream(Response):
    """Sends what the pulse makes. Ends with the caller's access, so that nobody looks on who no longer may."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        pulse: Pulse,
        streams: Streams,
        caller: Caller,
        *,
        leaving: asyncio.Event,
        is_over: Callable[[Caller], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._pulse = pulse
        self._streams = streams
        self._caller = caller
        self._leaving = leaving
        self._is_over = is_over
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer. Raises ProblemError (429, 503) where too many streams are open."""
        del scope
        with self._streams.one_more(self._caller.user_id):
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            sending = asyncio.create_task(self._send_all(send), name="looks")
            gone = asyncio.create_task(_disconnected(receive), name="looks-disconnect")
            leaving = asyncio.create_task(self._leaving.wait(), name="looks-leaving")
            tasks = {sending, gone, leaving}
            try:
                left_s = max(0.0, self._caller.expires_s - self._clock())
                await asyncio.wait(tasks, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
        with suppress(asyncio.CancelledError):
            sending.result()  # what it ran into is ours to tell
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_all(self, send: Send) -> None:
        number, event = self._pulse.first_event()
        while not self._is_over(self._caller):
            await send({"type": "http.response.body", "body": event, "more_body": True})
            number, event = await self._pulse.event_after(number)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
