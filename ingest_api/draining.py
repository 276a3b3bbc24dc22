"""How a process that serves comes to its end: first it says so, and in the end it waits for no slow client any more."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import Request


class Draining:
    """Begins once, and has no way back."""

    def __init__(self) -> None:
        self.has_begun = False
        """From now on nobody should send us anything new: each answer closes its connection."""
        self.leaving = asyncio.Event()
        """Set when no new requests are taken any more: answers without an end come to theirs."""
        self._on_leaving: list[Callable[[], None]] = []
        self._end_s = math.inf
        self._waiting: set[asyncio.Timeout] = set()

    @property
    def has_end(self) -> bool:
        """Whether clients who are slow are not waited for any more, or not for long."""
        return self._end_s < math.inf

    def begin(self) -> None:
        """Say that we are about to stop."""
        self.has_begun = True

    def when_leaving(self, act: Callable[[], None]) -> None:
        """Call this once no new requests are taken any more."""
        self._on_leaving.append(act)

    def end_at(self, end_s: float) -> None:
        """From this time of the running loop on, nobody who still sends is waited for."""
        self.leaving.set()
        for act in self._on_leaving:
            act()
        self._end_s = end_s
        for timeout in self._waiting:
            if not timeout.expired():
                timeout.reschedule(min(end_s, timeout.when() or math.inf))

    @asynccontextmanager
    async def until(self, deadline_s: float) -> AsyncIterator[None]:
        """Wait for a client until this time of the running loop, or until the end if that comes first.

        Raises TimeoutError.
        """
        async with asyncio.timeout_at(min(deadline_s, self._end_s)) as timeout:
            self._waiting.add(timeout)
            try:
                yield
            finally:
                self._waiting.discard(timeout)


def draining_of(request: Request) -> Draining:
    """That of the app that serves this request."""
    draining: Draining = request.app.state.draining
    return draining
