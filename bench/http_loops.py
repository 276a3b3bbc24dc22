"""When the connections of a client send: each as soon as it is idle (closed), or at a fixed rate (open).

All times are on ``time.monotonic``, which the processes of one machine share.
"""

import asyncio
import itertools
import math
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence

from bench.http_connection import Connection

HTTP_ERROR_MIN = 300

TIMER_MS = 1_000
"""Timers of the event loop count whole milliseconds."""


class Loop(ABC):
    """What the connections share: the requests to come, and what became of those before.

    ``began_s`` and ``ends_s`` are when the first and the last request should go out. ``done`` is set at the last
    answer, or to the RuntimeError that ended it all.
    """

    def __init__(self) -> None:
        self.began_s = math.nan
        self.ends_s = math.inf
        self.accepted = 0
        self.refused = 0
        self.latencies_s: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @abstractmethod
    def start(self, connections: Sequence[Connection]) -> None:
        """Begin, with these."""

    @abstractmethod
    def idle(self, connection: Connection) -> None:
        """It has nothing under way; this may give it its next request."""

    def answered(self, status: int, latency_s: float) -> None:
        """Count a request that came to its end."""
        self.latencies_s.append(latency_s)
        if status < HTTP_ERROR_MIN:
            self.accepted += 1
        else:
            self.refused += 1

    def lost(self) -> None:
        """The other side closed a connection."""
        if not self.done.done():
            self.done.set_exception(RuntimeError("the server closed a connection"))

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)


class ClosedLoop(Loop):
    """Each connection sends as soon as it is idle, for ``seconds`` or until ``count`` are sent."""

    def __init__(self, requests: Sequence[bytes], seconds: float, count: int | None) -> None:
        super().__init__()
        self._requests = itertools.islice(itertools.cycle(requests), count)
        self._seconds = seconds
        self._open = 0

    def start(self, connections: Sequence[Connection]) -> None:
        """Begin now."""
        self._open = len(connections)
        self.began_s = time.monotonic()
        self.ends_s = self.began_s + self._seconds
        for connection in connections:
            self.idle(connection)

    def idle(self, connection: Connection) -> None:
        """Send the next at once. Once it is over, the connection is done."""
        now_s = time.monotonic()
        request = next(self._requests, None) if now_s < self.ends_s else None
        if request is not None:
            connection.send(request, now_s)
            return
        self._open -= 1
        if not self._open:
            self._finish()


class OpenLoop(Loop):
    """Request *i* is due at ``start_s + i / rate``, however long the others take.

    It goes out at most a millisecond after that, or, when no connection is idle, as soon as one is. Its latency counts
    from when it was due, so that a server that stalls answers for all who would have come meanwhile.
    """

    def __init__(self, requests: Sequence[bytes], rate: float, start_s: float) -> None:
        super().__init__()
        self._requests = requests
        self._rate = rate
        self._sent = 0
        self._idle: deque[Connection] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self.began_s = start_s
        self.ends_s = self._due_s(len(requests))

    def start(self, connections: Sequence[Connection]) -> None:
        """Begin at ``start_s``, or at once with all that has been due since."""
        self._idle.extend(connections)
        self._send_due()

    def idle(self, connection: Connection) -> None:
        """Line up: connections take turns, so that none is idle for so long that the server closes it."""
        self._idle.append(connection)
        self._send_due()

    def _send_due(self) -> None:
        now_s = time.monotonic()
        while self._idle and self._sent < len(self._requests) and self._due_s(self._sent) <= now_s:
            self._idle.popleft().send(self._requests[self._sent], self._due_s(self._sent))
            self._sent += 1
        if len(self.latencies_s) == len(self._requests):
            self._finish()
        elif self._idle and self._sent < len(self._requests) and self._timer is None:
            # Rounded up: rounded to nothing, a timer would only go round in circles until the time has come.
            wait_ms = math.ceil((self._due_s(self._sent) - now_s) * TIMER_MS)
            self._timer = asyncio.get_running_loop().call_later(wait_ms / TIMER_MS, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._send_due()

    def _due_s(self, index: int) -> float:
        return self.began_s + index / self._rate
