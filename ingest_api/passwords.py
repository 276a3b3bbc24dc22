"""Hashing passwords beside the event loop: it takes a quarter of a second of CPU each time."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import ParamSpec, TypeVar

from ingest_api.problems import ProblemError
from schemas.codes import ProblemCode
from schemas.passwords import PASSWORD_CHARS_MAX, normalise_password
from sinks.password_rules import refusal
from sinks.passwords import hash_password, is_hash, is_outdated, verify_password

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 2
"""Logins must not take every core from those who are logged in."""

PENDING_MAX = 32
"""The last of them waits for about four seconds; any more are told at once to come again."""

RETRY_AFTER_S = 4


class PasswordHashing:
    """Hashes and verifies in threads of its own. Raises ProblemError (503) when too many wait for them."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
        self._pending = BoundedSemaphore(PENDING_MAX)
        self._decoy = self._threads.submit(hash_password, secrets.token_urlsafe())

    async def hash(self, text: str) -> str:
        """The hash to store."""
        return await self._run(hash_password, text)

    async def verify(self, text: str, hashed: str | None) -> bool:
        """Whether the password made the hash. Without one, or one of ours, the same is done for a decoy: False."""
        text = normalise_password(text)
        is_real = hashed is not None and is_hash(hashed)
        compared = hashed if is_real and hashed is not None else await asyncio.wrap_future(self._decoy)
        is_same = await self._run(verify_password, text[:PASSWORD_CHARS_MAX], compared)
        return is_same and is_real and len(text) <= PASSWORD_CHARS_MAX

    async def upgraded(self, text: str, hashed: str) -> str | None:
        """A newer hash of this password, where its hash was made by other rules than those of today."""
        return await self._run(hash_password, text) if is_outdated(hashed) else None

    async def refusal(self, text: str, email: str) -> str | None:
        """Why the password will not do for the account of this e-mail, or None if it will."""
        return await self._run(refusal, text, (email,))

    def close(self) -> None:
        """Start no further hashing."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, function: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        if not self._pending.acquire(blocking=False):
            headers = {"Retry-After": str(RETRY_AFTER_S)}
            raise ProblemError(503, ProblemCode.OVERLOADED, "Too many logins at once.", headers=headers)
        future = self._threads.submit(function, *args, **options)
        # Not when the caller stops waiting, for a thread that has begun goes on.
        future.add_done_callback(lambda _: self._pending.release())
        return await asyncio.wrap_future(future)
