"""Whose a credential is: an access token, or an API key. Either is sent as a Bearer token (RFC 6750 section 2.1)."""

from ingest_api.key_checks import KeyChecks
from ingest_api.opaque_tokens import Prefix
from ingest_api.revocations import Revocations
from ingest_api.tokens import AccessTokens, Caller, TokenError


class Access:
    """Checks credentials, and what has been revoked of them."""

    def __init__(self, tokens: AccessTokens, keys: KeyChecks, revocations: Revocations) -> None:
        self._tokens = tokens
        self._keys = keys
        self._revocations = revocations

    def known(self, credential: str) -> Caller | None:
        """Whose it is, where nobody need be asked; None where it is not good, or `check` must tell."""
        if credential.startswith(Prefix.API_KEY):
            caller = self._keys.remembered(credential)
        else:
            try:
                caller = self._tokens.check(credential)
            except TokenError:
                return None
        return None if caller is None or self._revocations.covers(caller) else caller

    async def check(self, credential: str) -> Caller:
        """Whose it is. Raises TokenError, and DatabaseAwayError for a key that this process does not know yet."""
        caller = self.known(credential)
        if caller is not None:
            return caller
        if credential.startswith(Prefix.API_KEY):
            return await self._keys.check(credential)
        self._tokens.check(credential)
        raise TokenError("The login is over, or the account has changed. Renew the token, or log in again.")

    def is_over(self, caller: Caller) -> bool:
        """Whether access that was good when a long answer began has been revoked since."""
        return self._revocations.covers(caller)
