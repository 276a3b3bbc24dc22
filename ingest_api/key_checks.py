"""API keys: asked of the database once, then remembered for as long as an access token lives."""

import hmac
import time
from collections.abc import Callable

from ingest_api.bounded_cache import BoundedCache
from ingest_api.opaque_tokens import Prefix, read_token
from ingest_api.tokens import Caller, TokenError
from schemas.access import RIGHTS, Right
from sinks.directory.api_keys import ApiKeys

REMEMBERED_MAX = 10_000


class KeyChecks:
    """Checks keys. ``clock`` gives seconds since 1970."""

    def __init__(self, api_keys: ApiKeys, ttl_s: float, clock: Callable[[], float] = time.time) -> None:
        self._api_keys = api_keys
        self._ttl_s = ttl_s
        self._clock = clock
        self._checked: BoundedCache[str, Caller] = BoundedCache(REMEMBERED_MAX)

    def remembered(self, text: str) -> Caller | None:
        """Whose key it is, if it was checked not long ago, whatever has been revoked since."""
        found = self._checked.get(text)
        return found if found is not None and self._clock() < found.expires_s else None

    async def check(self, text: str) -> Caller:
        """Whose key it is, as the database has it now. Raises TokenError and DatabaseAwayError."""
        key = read_token(Prefix.API_KEY, text)
        found = None if key is None else await self._api_keys.find(key.subject)
        if key is None or found is None or not hmac.compare_digest(found.secret_hash, key.token_hash):
            raise TokenError("The API key is not valid, has expired or was revoked.")
        await self._api_keys.touch(key.subject)
        expires_s = self._clock() + self._ttl_s
        if found.expires_at is not None:
            expires_s = min(expires_s, found.expires_at.timestamp())
        rights = RIGHTS["producer"].union(Right(scope) for scope in found.scopes)
        caller = Caller(
            found.user_id, "producer", rights, login_id=key.subject, epoch=found.access_epoch, expires_s=expires_s
        )
        self._checked.put(text, caller)
        return caller
