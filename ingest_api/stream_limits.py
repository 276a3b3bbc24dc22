"""How many answers without an end there are, in all and for one account."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from ingest_api.problems import ProblemError
from schemas.codes import ProblemCode

RETRY_AFTER_S = 10

_RETRY_AFTER = {"Retry-After": str(RETRY_AFTER_S)}


class StreamLimits:
    """Counts streams in and out."""

    def __init__(self, *, count_max: int, caller_max: int) -> None:
        self._count_max = count_max
        self._caller_max = caller_max
        self._callers: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """Streams that are open."""
        return self._callers.total()

    @contextmanager
    def one_more(self, user_id: str) -> Iterator[None]:
        """A stream of this account is open. Raises ProblemError (429, 503) where that would be too many."""
        if self._callers[user_id] >= self._caller_max:
            detail = f"{self._caller_max} streams of this account are open. Close one."
            raise ProblemError(429, ProblemCode.TOO_MANY_REQUESTS, detail, headers=_RETRY_AFTER)
        if self.count >= self._count_max:
            raise ProblemError(503, ProblemCode.OVERLOADED, "Too many streams are open.", headers=_RETRY_AFTER)
        self._callers[user_id] += 1
        try:
            yield
        finally:
            self._callers[user_id] -= 1
            if not self._callers[user_id]:
                del self._callers[user_id]
