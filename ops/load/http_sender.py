"""The HTTP API as those see it who measure it: each request is sent once, and what comes of it is counted."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp

from ops.load.access import ApiAccess

T = TypeVar("T")

CONNECTIONS_MAX = 256
REQUEST_TIMEOUT_S = 30.0
SET_UP_CONCURRENCY = 8
TOKEN_MARGIN_S = 60.0
REGISTRATION_WAITS_MAX = 60
"""Of a second or a few each."""


class HttpError(Exception):
    """The API answered otherwise than hoped for; the message holds its status and code.

    ``retry_after_s`` is what its Retry-After says, if it has one.
    """

    def __init__(self, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(slots=True)
class Login:
    """An account, its token and when that should be renewed (``time.monotonic``)."""

    email: str
    password: str = field(repr=False)
    token: str = field(default="", repr=False)
    renew_s: float = 0.0
    renewing: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)


@dataclass(frozen=True, slots=True)
class Submission:
    """A transfer to ask for over HTTP."""

    transfer_id: str
    source: str
    destination: str
    amount: str
    currency: str

    @property
    def body(self) -> dict[str, str]:
        """As JSON."""
        return {
            "transfer_id": self.transfer_id,
            "source_wallet_id": self.source,
            "destination_wallet_id": self.destination,
            "amount": self.amount,
            "currency": self.currency,
        }


class Api:
    """Calls the API. Every method raises HttpError, aiohttp.ClientError or TimeoutError."""

    def __init__(self, session: aiohttp.ClientSession, admin: Login) -> None:
        self._session = session
        self.admin = admin

    async def register(self, email: str, password: str) -> str:
        """Open an account; its id. Waits where the API wants registrations to come more slowly."""
        body = {"email": email, "password": password}
        for _ in range(REGISTRATION_WAITS_MAX):
            try:
                return str((await self._call("POST", "/v1/users", None, json=body))["user_id"])
            except HttpError as error:
                if error.retry_after_s is None:
                    raise
                await asyncio.sleep(error.retry_after_s)
        return str((await self._call("POST", "/v1/users", None, json=body))["user_id"])

    async def log_in(self, login: Login) -> None:
        """Get a token."""
        form = {"username": login.email, "password": login.password}
        found = await self._call("POST", "/v1/auth/token", None, data=form)
        login.token = found["access_token"]
        login.renew_s = time.monotonic() + found["expires_in"] - TOKEN_MARGIN_S

    async def open_wallet(self, login: Login, currency: str, user_id: str | None = None) -> str:
        """Open a wallet for the account itself, or, as an admin, for another; the wallet's id."""
        body = {"currency": currency} if user_id is None else {"currency": currency, "user_id": user_id}
        return str((await self._call("POST", "/v1/wallets", login, json=body))["wallet_id"])

    async def deposit(self, wallet_id: str, amount: str, currency: str) -> str:
        """Bring money in; the transfer's id."""
        body = {"wallet_id": wallet_id, "amount": amount, "currency": currency}
        return str((await self._call("POST", "/v1/deposits", self.admin, json=body))["transfer_id"])

    async def submit(self, login: Login, submission: Submission) -> str:
        """Ask for a transfer; its id, once the brokers have it."""
        found = await self._call("POST", "/v1/transfers", login, json=submission.body)
        return str(found["transfer_id"])

    async def transfer(self, login: Login, transfer_id: str) -> dict[str, Any]:
        """What is known of a transfer."""
        return await self._call("GET", f"/v1/transfers/{transfer_id}", login)

    async def _call(self, method: str, path: str, login: Login | None, **how: Any) -> dict[str, Any]:
        headers = {}
        if login is not None:
            async with login.renewing:  # one login for all requests that wait for it
                if time.monotonic() > login.renew_s:
                    await self.log_in(login)
            headers["Authorization"] = f"Bearer {login.token}"
        async with self._session.request(method, path, headers=headers, **how) as response:
            found: dict[str, Any] = await response.json(content_type=None)
            if response.status >= 400:  # noqa: PLR2004 (HTTP's own)
                wait = response.headers.get("Retry-After")
                message = f"{method} {path}: {response.status} {found.get('code', '')}".rstrip()
                raise HttpError(message, None if wait is None else int(wait))
            return found


@asynccontextmanager
async def api_client(access: ApiAccess) -> AsyncIterator[Api]:
    """A client that is logged in as the admin."""
    connector = aiohttp.TCPConnector(limit=CONNECTIONS_MAX)
    timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S)
    async with aiohttp.ClientSession(access.api_url, connector=connector, timeout=timeout) as session:
        admin = Login(access.admin_email, access.admin_password.get_secret_value())
        api = Api(session, admin)
        await api.log_in(admin)
        yield api


async def in_parallel(
    jobs: Iterable[Callable[[], Coroutine[Any, Any, T]]], concurrency: int = SET_UP_CONCURRENCY
) -> list[T]:
    """Run the jobs, so many at a time; their results in order. The first failure is raised."""
    gate = asyncio.Semaphore(concurrency)

    async def run(job: Callable[[], Coroutine[Any, Any, T]]) -> T:
        async with gate:
            return await job()

    return await asyncio.gather(*(run(job) for job in jobs))
