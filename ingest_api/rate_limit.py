"""How many requests an account may send in a minute, counted in this process and without a database.

A bucket for each account holds as many requests as it may send at once, and fills evenly over a minute (the generic
cell rate algorithm: one number an account). A batch is one request. What is left stands in each answer, in the headers
RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10); behind a load balancer it is what is left of
this process's share. With very many accounts, those that have been quiet for longest are forgotten, with full buckets.
"""

import math
import time
from collections.abc import Callable

from starlette.types import Scope

from ingest_api.bounded_cache import BoundedCache
from ingest_api.metrics import TURNED_AWAY
from ingest_api.problems import RATE_HEADERS_KEY, ProblemError
from schemas.codes import ProblemCode

WINDOW_S = 60
ACCOUNTS_MAX = 50_000
POLICY = "account"


class RateLimit:
    """A limit on the requests of each account. ``now_s`` never goes back."""

    def __init__(self, requests_per_minute: int, now_s: Callable[[], float] = time.monotonic) -> None:
        self._interval_s = WINDOW_S / requests_per_minute
        self._quota = requests_per_minute
        self._now_s = now_s
        self._full_s: BoundedCache[str, float] = BoundedCache(ACCOUNTS_MAX)  # when its bucket will be full again
        self._policy = (b"ratelimit-policy", policy(POLICY, requests_per_minute, WINDOW_S).encode())

    def admit(self, scope: Scope, user_id: str) -> None:
        """Count this request, once however often it is asked, and note the headers for its answer.

        Raises ProblemError (429, RFC 6585 section 4).
        """
        if RATE_HEADERS_KEY in scope:
            return
        now_s = self._now_s()
        full_s = max(self._full_s.get(user_id) or 0.0, now_s) + self._interval_s
        wait_s = full_s - now_s - WINDOW_S
        is_admitted = wait_s <= self._interval_s / 1000  # sums of floats
        if is_admitted:
            self._full_s.put(user_id, full_s)
        else:
            full_s -= self._interval_s
        left_s = full_s - now_s
        left = max(0, math.floor((WINDOW_S - left_s) / self._interval_s + 1 / 1000))
        scope[RATE_HEADERS_KEY] = (self._policy, (b"ratelimit", state(POLICY, left, left_s).encode()))
        if not is_admitted:
            TURNED_AWAY.labels("rate").inc()
            detail = f"An account may send {self._quota} requests a minute to this process."
            headers = {"Retry-After": str(math.ceil(wait_s))}
            raise ProblemError(429, ProblemCode.TOO_MANY_REQUESTS, detail, headers=headers)


def policy(name: str, quota: int, window_s: float) -> str:
    """The value of RateLimit-Policy: so many requests in so many seconds."""
    return f'"{name}";q={quota};w={math.ceil(window_s)}'


def state(name: str, left: int, until_full_s: float) -> str:
    """The value of RateLimit: so many requests are left, and the seconds until all of the quota is there again."""
    return f'"{name}";r={left};t={math.ceil(until_full_s)}'
