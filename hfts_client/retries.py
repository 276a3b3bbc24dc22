"""When to send again, and when to give up. Pure: time and chance are given."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from hfts_client.errors import ApiError, ConnectionFailedError

NOT_DONE = frozenset({429, 503})
"""These say that nothing was done, so that anything may be sent again."""

UNKNOWN = frozenset({408, 502, 504})
"""These leave open what was done: only what is repeatable may be sent again."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to go on. ``total_s`` counts from the first try; with 0 nothing is sent again.

    The delay before the n-th retry is drawn from the upper half of ``delay_s_min * 2 ** (n - 1)``, at most
    ``delay_s_max``, so that many clients do not come back together; `Retry-After` makes it longer.
    """

    total_s: float = 60.0
    delay_s_min: float = 0.25
    delay_s_max: float = 8.0
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    chance: Callable[[], float] = field(default=random.random, repr=False)


class Attempts:
    """The tries of one request."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._start_s = policy.clock()
        self._failed = 0

    def delay_s(self, failure: ApiError | ConnectionFailedError, *, is_repeatable: bool) -> float | None:
        """How long to wait before the next try, or None where there is to be none."""
        if not may_repeat(failure, is_repeatable=is_repeatable):
            return None
        asked_s = failure.retry_after_s if isinstance(failure, ApiError) else None
        return self.next_delay_s(asked_s)

    def next_delay_s(self, asked_s: float | None = None) -> float | None:
        """The same for a failure that allows it, after which the API asked to wait so long."""
        policy = self._policy
        backoff_s = min(policy.delay_s_min * 2.0 ** min(self._failed, 30), policy.delay_s_max)
        self._failed += 1
        spread_s = backoff_s * policy.chance() / 2
        delay_s = backoff_s / 2 + spread_s if asked_s is None else max(asked_s, backoff_s / 2) + spread_s
        left_s = self._start_s + policy.total_s - policy.clock()
        return delay_s if delay_s <= left_s else None


def may_repeat(failure: ApiError | ConnectionFailedError, *, is_repeatable: bool) -> bool:
    """Whether sending again can help and cannot do anything twice."""
    if isinstance(failure, ConnectionFailedError):
        return is_repeatable or not failure.was_sent
    return failure.status in NOT_DONE or (is_repeatable and failure.status in UNKNOWN)
