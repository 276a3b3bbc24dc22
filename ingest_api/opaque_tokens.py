"""Refresh tokens, API keys and tokens for another password: random, and known to us by their hash alone.

After the prefix 64 URL-safe characters: 16 bytes name what the token belongs to (a session, a key, a reset), 32 bytes
are the secret. No key takes part, so a token outlives a change of the secret key.
"""

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID, uuid4

_ID_BYTES = 16
_SECRET_BYTES = 32
_BODY_CHARS = 64


class Prefix(StrEnum):
    """What a token begins with: it tells the kinds apart, and lets programs that look for leaked secrets find them."""

    REFRESH_TOKEN = "hfts_rt_"  # noqa: S105 (what every one begins with)
    API_KEY = "hfts_key_"
    RESET_TOKEN = "hfts_pr_"  # noqa: S105 (likewise)


@dataclass(frozen=True, slots=True)
class OpaqueToken:
    """A token, what it belongs to, and the hash to store. A fast hash will do, for the secret has 256 random bits."""

    subject: str
    text: str = field(repr=False)

    @property
    def token_hash(self) -> bytes:
        """SHA-256."""
        return hashlib.sha256(self.text.encode()).digest()


def new_token(prefix: Prefix, subject: str | None = None) -> OpaqueToken:
    """Another token of what has this id, or the first of something new where none is given."""
    of = UUID(subject) if subject else uuid4()
    body = base64.urlsafe_b64encode(of.bytes + secrets.token_bytes(_SECRET_BYTES)).decode()
    return OpaqueToken(str(of), prefix + body)


def read_token(prefix: Prefix, text: str) -> OpaqueToken | None:
    """The token, if the text has the form of one of this kind."""
    body = text.removeprefix(prefix)
    if len(body) != _BODY_CHARS or len(text) != len(prefix) + _BODY_CHARS:
        return None
    try:
        raw = base64.b64decode(body.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    return OpaqueToken(str(UUID(bytes=raw[:_ID_BYTES])), text)
