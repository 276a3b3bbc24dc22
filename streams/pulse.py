"""Notices that this process stood still for so long that its partitions may have been given to another."""

import asyncio
import time
from collections.abc import Callable

BEAT_INTERVAL_S = 0.5


class StoodStillError(Exception):
    """The process was stopped, or starved, for longer than it may be: whatever it holds may be somebody else's."""


class Pulse:
    """Beats while the event loop runs. What was held back for too long must not be published any more."""

    def __init__(self, still_s_max: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._still_s_max = still_s_max
        self._clock = clock
        self._last_s = clock()

    async def run(self) -> None:
        """Beat until cancelled. Raises StoodStillError."""
        while True:
            self.check()
            self.beat()
            await asyncio.sleep(BEAT_INTERVAL_S)

    def beat(self) -> None:
        """The process runs, and holds nothing that somebody else could have."""
        self._last_s = self._clock()

    def check(self) -> None:
        """Raises StoodStillError when the last beat is too long ago."""
        still_s = self._clock() - self._last_s
        if still_s > self._still_s_max:
            raise StoodStillError(f"stood still for {still_s:.1f} s, {self._still_s_max:.1f} s at most are safe")
