"""Hashing passwords beside the event loop: it takes a quarter of a second of CPU each time."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor

from sinks.passwords import hash_password, verify_password

THREADS = 2
"""Logins must not take every core from those who are logged in."""


class PasswordHashing:
    """Hashes and verifies in threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
        self._decoy = self._threads.submit(hash_password, secrets.token_urlsafe())

    async def hash(self, text: str) -> str:
        """The hash to store."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, hash_password, text)

    async def verify(self, text: str, hashed: str | None) -> bool:
        """Whether the password made the hash. Without a hash it takes as long, and is False."""
        if hashed is None:
            decoy = await asyncio.wrap_future(self._decoy)
            await self.verify(text, decoy)
            return False
        return await asyncio.get_running_loop().run_in_executor(self._threads, verify_password, text, hashed)

    def close(self) -> None:
        """Start no further hashing."""
        self._threads.shutdown(wait=False, cancel_futures=True)
