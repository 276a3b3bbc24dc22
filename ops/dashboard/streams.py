"""How many pages are open, and whether anybody has looked of late: what is read for pages alone is read only then."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ingest_api.stream_limits import StreamLimits

STREAMS_MAX = 64
CALLER_MAX = 8
"""Of one account: a few tabs on a few machines."""

LINGER_S = 30.0
"""A page that is loaded again finds what was there before."""


class Streams(StreamLimits):
    """Counts streams in and out. ``clock`` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(count_max=STREAMS_MAX, caller_max=CALLER_MAX)
        self._clock = clock
        self._last_closed_s = -LINGER_S
        self._opened = asyncio.Event()

    @property
    def are_watched(self) -> bool:
        """Whether a stream is open, or was within the last half minute."""
        return bool(self.count) or self._clock() - self._last_closed_s < LINGER_S

    async def opened(self) -> None:
        """Return as soon as a stream is open."""
        while not self.count:
            self._opened.clear()
            await self._opened.wait()

    @contextmanager
    def one_more(self, user_id: str) -> Iterator[None]:
        """A stream of this account is open. Raises ProblemError (429, 503) where that would be too many."""
        with super().one_more(user_id):
            self._opened.set()
            try:
                yield
            finally:
                self._last_closed_s = self._clock()
