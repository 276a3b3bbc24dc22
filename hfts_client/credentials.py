"""Who asks: nobody, the holder of a token or API key, or an account that logs in."""

from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode

import msgspec

from hfts_client.answers import read
from hfts_client.calling import call
from hfts_client.effects import Alone, Operation, Request
from hfts_client.errors import AuthenticationError, ConnectionFailedError
from hfts_client.retries import RetryPolicy

RENEW_BEFORE_S = 60.0
"""A token is renewed so long before its end, or when half of its life is over if that is shorter."""

TOKEN_PATH = "/v1/auth/token"  # noqa: S105 (a path)
REVOKE_PATH = "/v1/auth/revoke"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Credentials(Protocol):
    """Gives each request its header."""

    def header(self) -> Operation[dict[str, str]]:
        """The header of a request made now; none for nobody."""

    def refused(self, header: dict[str, str]) -> bool:
        """The API does not take this header any more. Whether `header` may find another one."""


class Anonymous:
    """Nobody: what anyone may do."""

    def header(self) -> Operation[dict[str, str]]:
        """None."""
        yield from ()
        return {}

    def refused(self, header: dict[str, str]) -> bool:
        """Nor ever."""
        del header
        return False


class Bearer:
    """The holder of an access token or an API key."""

    def __init__(self, token: str) -> None:
        self._header = bearer_header(token)

    def header(self) -> Operation[dict[str, str]]:
        """Always the same."""
        yield from ()
        return self._header

    def refused(self, header: dict[str, str]) -> bool:
        """There is no other."""
        del header
        return False


class _Granted(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float
    refresh_token: str


@dataclass(slots=True)
class Login:
    """An account. Logs in when a token is needed, and renews it before its end.

    A refresh token is good once. If the answer to a renewal is lost, nobody knows whether it was used, and showing it
    again would end the login: the password is shown instead.
    """

    email: str
    password: str = field(repr=False)
    retry: RetryPolicy
    _header: dict[str, str] = field(default_factory=dict, repr=False)
    _refresh_token: str | None = field(default=None, repr=False)
    _renew_s: float = field(default=0.0, repr=False)

    def header(self) -> Operation[dict[str, str]]:
        """That of the token, which is renewed by one request for all that wait for it."""
        if not self._is_fresh():
            yield Alone(self._renew())
        return self._header

    def refused(self, header: dict[str, str]) -> bool:
        """The login may have been ended: the next one shows the password."""
        if header == self._header:
            self._renew_s, self._refresh_token = 0.0, None
        return True

    def log_out(self) -> Operation[None]:
        """End the login, if there is one. The access token stays good to its end."""
        token, self._refresh_token, self._renew_s = self._refresh_token, None, 0.0
        if token is not None:
            yield from call(self.retry, ANONYMOUS, _form_request(REVOKE_PATH, {"token": token}))

    def _is_fresh(self) -> bool:
        return self.retry.clock() < self._renew_s

    def _renew(self) -> Operation[None]:
        if self._is_fresh():  # somebody else did, while we waited
            return
        token, self._refresh_token = self._refresh_token, None
        if token is not None:
            form = {"grant_type": "refresh_token", "refresh_token": token}
            try:
                yield from self._ask(form, is_repeatable=False)
            except (AuthenticationError, ConnectionFailedError):
                pass
            else:
                return
        form = {"grant_type": "password", "username": self.email, "password": self.password}
        yield from self._ask(form, is_repeatable=True)

    def _ask(self, form: dict[str, str], *, is_repeatable: bool) -> Operation[None]:
        asked_s = self.retry.clock()
        request = _form_request(TOKEN_PATH, form, is_repeatable=is_repeatable)
        granted = read((yield from call(self.retry, ANONYMOUS, request)), _Granted)
        self._header = bearer_header(granted.access_token)
        self._refresh_token = granted.refresh_token
        self._renew_s = asked_s + granted.expires_in - min(RENEW_BEFORE_S, granted.expires_in / 2)


ANONYMOUS = Anonymous()


def bearer_header(token: str) -> dict[str, str]:
    """The header that shows this token (RFC 6750 section 2.1)."""
    return {"Authorization": f"Bearer {token}"}


def _form_request(path: str, form: dict[str, str], *, is_repeatable: bool = True) -> Request:
    return Request("POST", path, headers=_FORM, content=urlencode(form).encode(), is_repeatable=is_repeatable)
