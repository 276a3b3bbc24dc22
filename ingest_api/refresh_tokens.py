"""Refresh tokens: random, and known to us by their hash alone.

After the prefix 64 URL-safe characters: 16 bytes name the session (the family of all tokens that follow from one
login), 32 bytes are the secret. No key takes part, so a token outlives a change of the secret key.
"""

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass, field
from uuid import UUID, uuid4

PREFIX = "hfts_rt_"
"""Lets programs that look for leaked secrets find it."""

_SESSION_BYTES = 16
_SECRET_BYTES = 32
_BODY_CHARS = 64


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A token, its session, and the hash to store. A fast hash will do, for the secret has 256 random bits."""

    session_id: str
    text: str = field(repr=False)

    @property
    def token_hash(self) -> bytes:
        """SHA-256."""
        return hashlib.sha256(self.text.encode()).digest()


def new_refresh_token(session_id: str | None = None) -> RefreshToken:
    """The next token of a login, or the first of a new one when no id is given."""
    session = UUID(session_id) if session_id else uuid4()
    body = base64.urlsafe_b64encode(session.bytes + secrets.token_bytes(_SECRET_BYTES)).decode()
    return RefreshToken(str(session), PREFIX + body)


def read_refresh_token(text: str) -> RefreshToken | None:
    """The token, if the text has the form of one."""
    body = text.removeprefix(PREFIX)
    if len(body) != _BODY_CHARS or len(text) != len(PREFIX) + _BODY_CHARS:
        return None
    try:
        raw = base64.b64decode(body.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    return RefreshToken(str(UUID(bytes=raw[:_SESSION_BYTES])), text)
