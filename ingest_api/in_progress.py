"""How many requests are in progress, in all and for one caller. Those beyond are turned away before they are read.

Whoever waits for the brokers or the database holds a body, a task and a connection meanwhile. Bounding how many may
wait bounds the memory, whatever it is that they wait for.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from ingest_api.metrics import IN_PROGRESS, TURNED_AWAY
from ingest_api.problems import ProblemError
from schemas.codes import ProblemCode

IN_PROGRESS_MAX = 2_000
"""About a third of a second of work for a core. More would only wait for longer."""

CALLER_MAX = 500
"""A quarter of all, so that one caller who floods leaves room for the others."""

BATCH_WEIGHT = 50
"""What a batch counts for: a chunk of its lines and the results that nobody has read yet take up to 5 MB. So there are
at most 40 batches at once, and 10 of one caller. A statement counts as much, for it goes on asking the database."""

IN_PROGRESS_KEY = "hfts.in_progress"
"""Where the envelope keeps the counts in the ASGI scope."""


class InProgress:
    """Counts requests in and out. Each `enter` that returns must be followed by one `leave`, likewise for callers."""

    def __init__(self, *, count_max: int = IN_PROGRESS_MAX, caller_max: int = CALLER_MAX) -> None:
        self._count_max = count_max
        self._caller_max = caller_max
        self._count = 0
        self._policy = {"RateLimit-Policy": f'"in-progress";q={caller_max};qu="concurrent-requests"'}
        self._of_caller: dict[str, int] = {}  # holds those who have a request in progress, and nobody else
        IN_PROGRESS.set_function(lambda: self._count)

    @contextmanager
    def batch(self, user_id: str) -> Iterator[None]:
        """Count this caller's batch or statement, itself counted as one already. Raises ProblemError (429, 503)."""
        self.enter_caller(user_id, BATCH_WEIGHT)
        try:
            self.enter(BATCH_WEIGHT - 1)
            try:
                yield
            finally:
                self.leave(BATCH_WEIGHT - 1)
        finally:
            self.leave_caller(user_id, BATCH_WEIGHT)

    def enter(self, weight: int = 1) -> None:
        """Count a request in, as so many. Raises ProblemError (503)."""
        if self._count + weight > self._count_max:
            TURNED_AWAY.labels("all").inc()
            raise ProblemError(503, ProblemCode.OVERLOADED)
        self._count += weight

    def leave(self, weight: int = 1) -> None:
        """Count it out."""
        self._count -= weight

    def enter_caller(self, user_id: str, weight: int = 1) -> None:
        """Count a request as this caller's, as so many. Raises ProblemError (429, RFC 6585 section 4)."""
        count = self._of_caller.get(user_id, 0)
        if count + weight > self._caller_max:
            TURNED_AWAY.labels("caller").inc()
            detail = f"{count} requests of this account are in progress. Wait for some of their answers."
            raise ProblemError(429, ProblemCode.TOO_MANY_REQUESTS, detail, headers=self._policy)
        self._of_caller[user_id] = count + weight

    def leave_caller(self, user_id: str, weight: int = 1) -> None:
        """Count it out."""
        count = self._of_caller[user_id] - weight
        if count:
            self._of_caller[user_id] = count
        else:
            del self._of_caller[user_id]
