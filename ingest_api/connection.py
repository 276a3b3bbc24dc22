"""A connection with bounds: on its head, on what it may send for one request, and on how long it may take over it.

uvicorn reads heads of any length, waits for ever for the end of a request, and refuses bytes that are no HTTP as plain
text. Here each of these is a problem document, and the connection ends.
"""

import resource
from asyncio import TimerHandle, Transport
from typing import Any

import structlog
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from ingest_api.body_limits import BATCH_BYTES_MAX, BATCH_PATH, BATCH_TIMEOUT_S
from ingest_api.metrics import TURNED_AWAY
from ingest_api.problems import ProblemError, problem_response
from schemas.codes import ProblemCode

CONNECTIONS_MAX = 10_000
"""Each idle one holds about 5 KB and a file descriptor."""

DESCRIPTORS_ELSE = 256
"""For the pool, the brokers and files. Without one to spare, connections could be neither taken nor turned away."""

HEAD_BYTES_MAX = 16 * 1024
"""The request line and the headers. Most servers allow 8 or 16 KB; a token of ours has a few hundred bytes."""

REQUEST_BYTES_MAX = 1024 * 1024
"""All that a client may send for one request: chunk sizes and trailers count as well, and what nobody reads."""

BATCH_REQUEST_BYTES_MAX = 2 * BATCH_BYTES_MAX
"""Likewise for a batch: room for sizes of chunks, unless they are chosen to be in the way."""

CLIENT_TIMEOUT_S = 30.0
"""Long enough for the largest body over 20 kbit/s. Behind a proxy that reads requests whole it never passes."""

TICK_S = 5.0
"""How often a connection looks at its clock: one timer for each connection, not one for each request."""

_log = structlog.get_logger(__name__)


class HeadTooLargeError(Exception):
    """Stops the parser."""


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's connection, which ends when its client overdoes it."""

    connections_max = CONNECTIONS_MAX
    head_bytes_max = HEAD_BYTES_MAX
    request_bytes_max = REQUEST_BYTES_MAX
    batch_request_bytes_max = BATCH_REQUEST_BYTES_MAX
    client_timeout_s = CLIENT_TIMEOUT_S
    batch_timeout_s = BATCH_TIMEOUT_S
    tick_s = TICK_S

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._is_in_head = False
        self._request_bytes = 0
        self._is_batch = False
        self._waits_since_s: float | None = None  # since when it is the client's turn
        self._was_write_paused = False
        self._timer: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Count it in, or turn it away."""
        super().connection_made(transport)
        self._waits_since_s = self.loop.time()
        self._timer = self.loop.call_later(self.tick_s, self._tick)
        if len(self.connections) > self.connections_max:
            TURNED_AWAY.labels("connections").inc()
            self._refuse(ProblemError(503, ProblemCode.OVERLOADED))

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless it has become too much."""
        if self.transport.is_closing():
            return
        self._request_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._request_bytes > self.head_bytes_max:
            self._refuse(_head_too_large())
        elif self._request_bytes > self._bytes_max() and self._waits_since_s is not None:
            self._refuse(ProblemError(413, ProblemCode.BODY_TOO_LARGE))

    def on_message_begin(self) -> None:
        """Called by the parser at the first byte of a request."""
        super().on_message_begin()
        self._is_in_head = True
        self._waits_since_s = self.loop.time()

    def on_headers_complete(self) -> None:
        """Called by the parser at the end of the head."""
        self._is_in_head = False
        # Only a head that came in with more bytes than it may have is measured.
        if self._request_bytes > self.head_bytes_max and self._head_bytes() > self.head_bytes_max:
            self._refuse(_head_too_large())
            raise HeadTooLargeError
        super().on_headers_complete()
        self._is_batch = self.scope["path"] == BATCH_PATH

    def on_message_complete(self) -> None:
        """Called by the parser at the end of a request."""
        super().on_message_complete()
        self._request_bytes = 0
        self._is_batch = False
        # Answered already, as when there was no need to read the body: the next request is awaited.
        self._waits_since_s = self.loop.time() if self.cycle.response_complete else None

    def on_response_complete(self) -> None:
        """Called when an answer is out."""
        super().on_response_complete()
        if self.cycle.response_complete:  # and no further request has come in meanwhile
            self._waits_since_s = self.loop.time()

    def shutdown(self) -> None:
        """Called when the process stops: an idle connection ends, and what has begun is finished first."""
        if not self._is_in_head:  # else uvicorn would take it for idle
            super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn for bytes that are no HTTP."""
        self._refuse(ProblemError(400, ProblemCode.MALFORMED_REQUEST, msg))

    def _tick(self) -> None:
        if self.transport.is_closing():
            # Its buffer may wait for a client that reads no more.
            self.transport.abort()
            return
        waited_s = 0.0 if self._waits_since_s is None else self.loop.time() - self._waits_since_s
        if waited_s >= self.client_timeout_s and not self._is_our_turn():
            self._refuse(ProblemError(408, ProblemCode.REQUEST_TIMEOUT))
        elif self.flow.write_paused and self._was_write_paused and not self._may_read_later(waited_s):
            self.transport.abort()
        self._was_write_paused = self.flow.write_paused
        self._timer = self.loop.call_later(self.tick_s, self._tick)

    def _bytes_max(self) -> int:
        return self.batch_request_bytes_max if self._is_batch else self.request_bytes_max

    def _may_read_later(self, waited_s: float) -> bool:
        """Whether the client still sends a batch: many read nothing before they have sent everything."""
        return self._is_batch and self._is_our_turn() and waited_s < self.batch_timeout_s

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _refuse(self, problem: ProblemError) -> None:
        """Answer without the app, unless that would mix with its answer, and hang up."""
        if self.transport.is_closing():
            return
        _log.info("http.refused", code=problem.code, client=self.client)
        if not self._is_our_turn():
            self.transport.write(_raw_response(problem))
        self.transport.close()

    def _is_our_turn(self) -> bool:
        """Whether an answer is under way: to a whole request, or begun before the request has ended."""
        cycle = self.cycle
        return cycle is not None and not cycle.response_complete and (cycle.response_started or not cycle.more_body)


def connection_class() -> type[BoundedConnection]:
    """The class, for as many connections as this process may have descriptors for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < CONNECTIONS_MAX + DESCRIPTORS_ELSE:
        soft = min(hard, CONNECTIONS_MAX + DESCRIPTORS_ELSE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    connections_max = min(CONNECTIONS_MAX, soft - DESCRIPTORS_ELSE)
    return type("Connection", (BoundedConnection,), {"connections_max": connections_max})


def _head_too_large() -> ProblemError:
    return ProblemError(431, ProblemCode.HEAD_TOO_LARGE)


def _raw_response(problem: ProblemError) -> bytes:
    scope: Scope = {"path": ""}
    response = problem_response(scope, problem)
    headers = b"".join(name + b": " + value + b"\r\n" for name, value in response.raw_headers)
    return STATUS_LINE[problem.status_code] + headers + b"connection: close\r\n\r\n" + bytes(response.body)
