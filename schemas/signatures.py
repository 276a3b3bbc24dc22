"""Signatures of requests: a JWT in a record header that only the holder of a private key can make.

It is signed with Ed25519 (RFC 8037) and bound to one record by the SHA-256 of its value; the value names the transfer
and the wallet that pays. As RFC 8725 advises, the algorithm is pinned, the type is explicit, the audience is checked.
There is no expiry: a request may wait on its topic for days, and what is read a second time must be judged the same.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from schemas.codes import DeadLetterCause
from schemas.headers import SIGNATURE, Headers
from schemas.signing_keys import format_key, parse_key, parse_keys

ALGORITHM = "EdDSA"
TYPE = "hfts-request+jwt"
TOKEN_BYTES_MAX = 1024
"""A token of ours has some 350."""

_DIGEST = "sha256"


class SignatureError(Exception):
    """The record is not what the holder of a known key signed: ``cause`` in a code, the message in words."""

    def __init__(self, cause: DeadLetterCause, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause


class RequestSigner:
    """Signs requests for one topic. ``clock`` gives seconds since 1970. Raises KeyFormatError."""

    def __init__(self, key: str, topic: str, clock: Callable[[], float] = time.time) -> None:
        self._key_id, raw = parse_key(key)
        self._key = Ed25519PrivateKey.from_private_bytes(raw)
        self._topic = topic
        self._clock = clock

    def header(self, value: bytes) -> tuple[str, bytes]:
        """The header to send with this value."""
        claims = {"aud": self._topic, "iat": int(self._clock()), _DIGEST: _digest(value)}
        token = jwt.encode(claims, self._key, ALGORITHM, headers={"kid": self._key_id, "typ": TYPE})
        return SIGNATURE, token.encode()


class RequestVerifier:
    """Checks the signatures of requests on one topic against public keys by their names. Raises KeyFormatError."""

    def __init__(self, keys: str, topic: str) -> None:
        self._keys = {name: Ed25519PublicKey.from_public_bytes(raw) for name, raw in parse_keys(keys).items()}
        self._topic = topic

    def check(self, headers: Headers, value: bytes) -> None:
        """Raises SignatureError unless exactly one known key's signature of this value is among the headers."""
        found = [token for name, token in headers if name == SIGNATURE]
        if not found:
            raise SignatureError(DeadLetterCause.UNSIGNED_REQUEST, DeadLetterCause.UNSIGNED_REQUEST.meaning)
        if len(found) > 1:
            raise _invalid("there is more than one signature")
        claims = self._claims(found[0] or b"")
        digest = claims[_DIGEST]
        if not isinstance(digest, str) or not hmac.compare_digest(digest.encode(), _digest(value).encode()):
            raise _invalid("the signature is of another value")

    def _claims(self, token: bytes) -> Mapping[str, object]:
        if len(token) > TOKEN_BYTES_MAX:
            raise _invalid("the signature is too long")
        try:
            header = jwt.get_unverified_header(token)
            key = self._keys.get(header.get("kid", ""))
            if key is None:
                raise _invalid("no key of this name is known")
            if header.get("typ") != TYPE:
                raise _invalid("the token was made for something else")
            claims: Mapping[str, object] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=self._topic,
                options={
                    "require": ["aud", "iat", _DIGEST],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise _invalid(f"the signature does not hold ({type(error).__name__})") from None
        return claims


def new_keys(name: str) -> tuple[str, str]:
    """A fresh pair: the key to sign with and the key to verify with, both as NAME=KEY. Raises KeyFormatError."""
    key = Ed25519PrivateKey.generate()
    return format_key(name, key.private_bytes_raw()), format_key(name, key.public_key().public_bytes_raw())


def _digest(value: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(value).digest()).rstrip(b"=").decode()


def _invalid(detail: str) -> SignatureError:
    return SignatureError(DeadLetterCause.INVALID_SIGNATURE, detail)
