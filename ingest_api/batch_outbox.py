"""Results of a batch on their way out, while its lines still come in.

Many clients read nothing before they have sent everything. Were each result sent before the next line is read, both
sides would wait for each other once the buffers between them are full. So results wait here, a bounded number of bytes.
"""

import asyncio

from starlette.types import Send

MEDIA_TYPE = "application/x-ndjson"
WAITING_BYTES_MAX = 4 * 1024 * 1024
"""More than 10,000 accepted lines have as results."""


class Outbox:
    """Sends what is put into it, in order; the answer begins with the first of it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._changed = asyncio.Event()
        self._has_ended = False
        self._sender: asyncio.Task[None] | None = None

    async def put(self, data: bytes) -> None:
        """Take over these bytes; waits while too many wait already. Raises what sending raises."""
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_all(), name="batch-outbox")
        while self._waiting_bytes >= WAITING_BYTES_MAX and not self._sender.done():
            self._changed.clear()
            await self._changed.wait()
        if self._sender.done():
            self._sender.result()
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        self._changed.set()

    async def finish(self) -> None:
        """Return once everything is sent, and the end of the answer."""
        self._has_ended = True
        self._changed.set()
        if self._sender is not None:
            await self._sender

    async def abandon(self) -> None:
        """Send nothing more. After `finish` there is nothing to do."""
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.wait({self._sender})

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been put into it, so that another answer may be given."""
        return self._sender is None

    async def _send_all(self) -> None:
        headers = [(b"content-type", MEDIA_TYPE.encode())]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        while True:
            data = b"".join(self._waiting)
            self._waiting.clear()
            self._waiting_bytes = 0
            self._changed.set()  # there is room
            if not data and self._has_ended:
                break
            if data:
                await self._send({"type": "http.response.body", "body": data, "more_body": True})
            else:
                self._changed.clear()
                await self._changed.wait()
        await self._send({"type": "http.response.body", "body": b""})
