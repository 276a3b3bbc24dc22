"""Access tokens: JWT, HS256 and nothing else, checked once and then remembered until they expire.

The header names the key (`kid`) and the kind of token (`typ`, RFC 9068), and a token without either is refused. So no
JWT that was made for another purpose passes, and the secret key can be replaced while older tokens live on.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args
from uuid import UUID

import jwt

from ingest_api.bounded_cache import BoundedCache
from schemas.accounts import Role
from sinks.keys import KeyRing

ALGORITHM = "HS256"
ISSUER = "hfts"
AUDIENCE = "hfts-api"
TOKEN_TYPE = "at+jwt"  # noqa: S105 (a media type)
PURPOSE = "access token"
REMEMBERED_MAX = 10_000
TOKEN_CHARS_MAX = 2_000

_ROLES = frozenset(get_args(Role))
_REQUIRED = ("sub", "role", "iat", "exp", "iss", "aud")


class TokenError(Exception):
    """The token is not ours, was altered, or has expired. Log in again."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request, and until when the token says so, in seconds since 1970."""

    user_id: str
    is_admin: bool
    is_ops: bool = False
    expires_s: float = field(default=0.0, compare=False)

    @property
    def may_operate(self) -> bool:
        """Whether the dashboard is theirs."""
        return self.is_ops or self.is_admin


class AccessTokens:
    """Issues and checks access tokens. ``clock`` gives seconds since 1970.

    Signs with a key from ``secret_key``, and still accepts what was signed with one from a ``previous`` secret.
    """

    def __init__(
        self, secret_key: str, ttl_s: int, clock: Callable[[], float] = time.time, *, previous: Sequence[str] = ()
    ) -> None:
        self._keys = KeyRing(secret_key, previous, PURPOSE)
        self.ttl_s = ttl_s
        self._clock = clock
        self._checked: BoundedCache[str, Caller] = BoundedCache(REMEMBERED_MAX)

    def issue(self, user_id: str, role: str) -> str:
        """A token for this account, good for ``ttl_s``."""
        now_s = int(self._clock())
        claims = {
            "sub": user_id,
            "role": role,
            "iat": now_s,
            "exp": now_s + self.ttl_s,
            "iss": ISSUER,
            "aud": AUDIENCE,
        }
        key = self._keys.current
        return jwt.encode(claims, key.secret, ALGORITHM, headers={"kid": key.key_id, "typ": TOKEN_TYPE})

    def check(self, token: str) -> Caller:
        """Who it was issued to. Raises TokenError."""
        found = self._checked.get(token)
        if found is None:
            found = self._decode(token)
            self._checked.put(token, found)
        if self._clock() >= found.expires_s:
            raise TokenError("expired")
        return found

    def _decode(self, token: str) -> Caller:
        if len(token) > TOKEN_CHARS_MAX:
            raise TokenError("too long")
        try:
            claims = jwt.decode(
                token,
                self._key_of(jwt.get_unverified_header(token)),
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                # The times are checked against our own clock, each time the token is used.
                options={"require": list(_REQUIRED), "verify_exp": False, "verify_iat": False},
            )
            user_id = str(UUID(claims["sub"]))
            expires_s = float(claims["exp"])
        except (jwt.PyJWTError, ValueError, TypeError, UnicodeError) as error:
            raise TokenError("not a token of ours") from error
        role = claims["role"]
        if not isinstance(role, str) or role not in _ROLES:
            raise TokenError("unknown role")
        return Caller(user_id, is_admin=role == "admin", is_ops=role == "ops", expires_s=expires_s)

    def _key_of(self, header: dict[str, Any]) -> bytes:
        key_id = header.get("kid")
        key = self._keys.find(key_id) if isinstance(key_id, str) else None
        if key is None or header.get("typ") != TOKEN_TYPE:
            raise TokenError("another kind of token, or another key")
        return key.secret
