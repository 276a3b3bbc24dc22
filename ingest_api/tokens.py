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
from schemas.access import RIGHTS, PersonalRole, Right, Role
from sinks.keys import KeyRing

ALGORITHM = "HS256"
ISSUER = "hfts"
AUDIENCE = "hfts-api"
TOKEN_TYPE = "at+jwt"  # noqa: S105 (a media type)
PURPOSE = "access token"
REMEMBERED_MAX = 10_000
TOKEN_CHARS_MAX = 2_000

_ROLES: frozenset[PersonalRole] = frozenset(get_args(PersonalRole))
_INVALID = "The access token is not valid. Get a new one."
_EXPIRED = "The access token has expired. Get a new one."
_REQUIRED = ("sub", "role", "iat", "exp", "iss", "aud")


class TokenError(Exception):
    """What was shown is no access token or API key of ours, or no longer a good one. The message tells its sender."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request, what they may do, and until when their credential says so, in seconds since 1970.

    ``login_id`` is the session or API key that access comes from, and ``epoch`` how often the account's access had
    changed by then.
    """

    user_id: str
    role: Role = "user"
    rights: frozenset[Right] = RIGHTS["user"]
    login_id: str = field(default="", compare=False)
    epoch: int = field(default=0, compare=False)
    expires_s: float = field(default=0.0, compare=False)

    def may(self, right: Right) -> bool:
        """Whether this is theirs to do."""
        return right in self.rights


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

    def issue(self, user_id: str, role: str, *, session_id: str = "", epoch: int = 0) -> str:
        """A token for this account, good for ``ttl_s``, unless its session or the account's epoch ends before."""
        now_s = int(self._clock())
        claims = {
            "sub": user_id,
            "role": role,
            "sid": session_id,
            "epoch": epoch,
            "iat": now_s,
            "exp": now_s + self.ttl_s,
            "iss": ISSUER,
            "aud": AUDIENCE,
        }
        key = self._keys.current
        return jwt.encode(claims, key.secret, ALGORITHM, headers={"kid": key.key_id, "typ": TOKEN_TYPE})

    def check(self, token: str) -> Caller:
        """Who it was issued to, whatever has been revoked since. Raises TokenError."""
        found = self._checked.get(token)
        if found is None:
            found = self._decode(token)
            self._checked.put(token, found)
        if self._clock() >= found.expires_s:
            raise TokenError(_EXPIRED)
        return found

    def _decode(self, token: str) -> Caller:
        if len(token) > TOKEN_CHARS_MAX:
            raise TokenError(_INVALID)
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
            epoch = int(claims.get("epoch", 0))
        except (jwt.PyJWTError, ValueError, TypeError, UnicodeError) as error:
            raise TokenError(_INVALID) from error
        role = next((known for known in _ROLES if known == claims["role"]), None)
        if role is None:
            raise TokenError(_INVALID)
        session_id = str(claims.get("sid", ""))
        return Caller(user_id, role, RIGHTS[role], login_id=session_id, epoch=epoch, expires_s=expires_s)

    def _key_of(self, header: dict[str, Any]) -> bytes:
        key_id = header.get("kid")
        key = self._keys.find(key_id) if isinstance(key_id, str) else None
        if key is None or header.get("typ") != TOKEN_TYPE:
            raise TokenError(_INVALID)
        return key.secret
