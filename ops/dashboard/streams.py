"""How many pages are open, and whether anybody has looked of late: what is read for pages alone is read only then."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ingest_api.problems import ProblemError
from schemas.codes import ProblemCode

STREAMS_MAX = 64
CALLER_MAX = 8
"""Of one account: a few tabs on a few machines."""

LINGER_S = 30.0
"""A page that is loaded again finds what was there before."""

RETRY_AFTER_S = 10


class Streams:
    """Counts streams in and out. ``clock`` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._callers: Counter[str] = Counter()
        self._last_closed_s = -LINGER_S
        self._opened = asyncio.Event()

    @property
    def count(self) -> int:
        """Streams that are open."""
        return self._callers.total()

    @property
    def are_watched(self) -> bool:
        """Whether a stream is open, or was within the last half minute."""
        return bool(self._callers) or self._clock() - self._last_closed_s < LINGER_S

    async def opened(self) -> None:
        """Return as soon as a stream is open."""
        while not self._callers:
            self._opened.clear()
            await self._opened.wait()

    @contextmanager
    def one_more(self, user_id: str) -> Iterator[None]:
        """A stream of this account is open. Raises ProblemError (429, 503) where that would be too many."""
        if self._callers[user_id] >= CALLER_MAX:
            detail = f"{CALLER_MAX} streams of this account are open. Close a page."
            raise ProblemError(429, ProblemCode.TOO_MANY_REQUESTS, detail, headers=_RETRY_AFTER)
        if self.count >= STREAMS_MAX:
            detail = "Too many pages are open."
            raise ProblemError(503, ProblemCode.OVERLOADED, detail, headers=_RETRY_AFTER)
        self._callers[user_id] += 1
        self._opened.set()
        try:
            yield
        finally:
            self._callers[user_id] -= 1
            if not self._callers[user_id]:
                del self._callers[user_id]
            self._last_closed_s = self._clock()


_RETRY_AFTER = {"Retry-After": str(RETRY_AFTER_S)}
