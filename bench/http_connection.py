"""One connection of an HTTP/1.1 client: a request out, its whole answer in. Answers are parsed in C."""

import asyncio
import time
from collections.abc import Mapping
from typing import Protocol, Self, cast
from urllib.parse import urlsplit

import httptools

HTTP_PORT = 80


class Loop(Protocol):
    """Decides what a connection sends, and hears what became of it."""

    def idle(self, connection: "Connection") -> None:
        """It has nothing under way; this may give it its next request."""

    def answered(self, status: int, latency_s: float) -> None:
        """A request came to its end. `idle` follows."""

    def lost(self) -> None:
        """The other side closed a connection."""


class Connection(asyncio.Protocol):
    """Sends a request, waits for the whole answer, and asks its loop for more."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._parser = httptools.HttpResponseParser(self)
        self._since_s = 0.0
        self._transport: asyncio.WriteTransport

    @classmethod
    async def open(cls, url: str, loop: Loop) -> Self:
        """Connect to the host of ``url``. Raises OSError."""
        address = urlsplit(url)
        host, port = address.hostname or "", address.port or HTTP_PORT
        _, connection = await asyncio.get_running_loop().create_connection(lambda: cls(loop), host, port)
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.WriteTransport", transport)  # a TCP connection's

    def send(self, request: bytes, since_s: float) -> None:
        """Send it; its latency counts from ``since_s`` on ``time.monotonic``. Only while nothing is under way."""
        self._since_s = since_s
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop with a piece of an answer."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Called by the parser at the end of an answer."""
        self._loop.answered(self._parser.get_status_code(), time.monotonic() - self._since_s)
        self._loop.idle(self)

    def connection_lost(self, _: Exception | None) -> None:
        """Called by the event loop; we never close one ourselves."""
        self._loop.lost()


def post(url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """A POST as it goes over the wire, with Host and Content-Length."""
    address = urlsplit(url)
    lines = [f"POST {address.path} HTTP/1.1", f"Host: {address.netloc}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "\r\n"]).encode("latin-1") + body
