"""What both clients have in common on the way to the wire."""

import platform
from collections.abc import Mapping
from importlib.metadata import version
from urllib.parse import urlsplit

import httpx2

from hfts_client.credentials import ANONYMOUS, Bearer, Credentials, Login
from hfts_client.effects import Answer, Event, Request
from hfts_client.errors import ConnectionFailedError, TimedOutError
from hfts_client.retries import RetryPolicy

TIMEOUT_S = 30.0
"""For each step of a try: to connect, to send, and to get the next part of the answer."""

SILENCE_S_MAX = 60.0
"""The API says something on a stream of events every 15 s."""

USER_AGENT = f"hfts-client/{version('hfts')} python/{platform.python_version()} httpx2/{httpx2.__version__}"

_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


def checked_base_url(url: str) -> str:
    """The address without a slash at its end. Raises ValueError for what is no address of a server."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("base_url is an address such as https://payments.example.com, without a user or a query")
    return url.rstrip("/")


def credentials_of(email: str | None, password: str | None, token: str | None, retry: RetryPolicy) -> Credentials:
    """Raises ValueError for what does not belong together."""
    if (email is None) != (password is None):
        raise ValueError("give an email and a password together")
    if email is not None and password is not None:
        if token is not None:
            raise ValueError("give either email and password, or a token, not both")
        return Login(email, password, retry)
    return ANONYMOUS if token is None else Bearer(token)


def address(base_url: str, request: Request) -> str:
    """Where the request goes."""
    return base_url + request.target


def headers_of(request: Request) -> dict[str, str]:
    """The request's, with those that all have."""
    return {"User-Agent": USER_AGENT, "Accept": "application/json", **request.headers}


def timeout_of(request: Request, timeout_s: float) -> httpx2.Timeout:
    """The bounds of one try."""
    return httpx2.Timeout(timeout_s, read=timeout_s + request.more_time_s)


def stream_timeout(timeout_s: float) -> httpx2.Timeout:
    """The bounds of a stream of events."""
    return httpx2.Timeout(timeout_s, read=SILENCE_S_MAX)


def answer_of(response: httpx2.Response, content: bytes = b"") -> Answer:
    """The response as operations see it."""
    headers: Mapping[str, str] = response.headers
    return Answer(response.status_code, {name.lower(): value for name, value in headers.items()}, content)


def event_of(event: httpx2.ServerSentEvent) -> Event:
    """The event as operations see it."""
    return Event(event.id, event.event, event.data, None if event.retry is None else event.retry / 1000)


def failure_of(error: httpx2.RequestError) -> ConnectionFailedError:
    """The failure as operations see it, without what was sent."""
    was_sent = not isinstance(error, _NEVER_SENT)
    if isinstance(error, httpx2.TimeoutException):
        return TimedOutError("no answer in time" if was_sent else "no connection in time", was_sent=was_sent)
    return ConnectionFailedError(f"{type(error).__name__}: {error}".rstrip(": "), was_sent=was_sent)
