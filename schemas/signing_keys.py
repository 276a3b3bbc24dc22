"""Keys as they stand in the environment: ``NAME=KEY``, KEY being 32 bytes in base64url (RFC 4648 section 5)."""

import base64
import binascii
import re

KEYS_MAX = 100

_KEY_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


class KeyFormatError(ValueError):
    """A key is not written as NAME=KEY. The message does not repeat it."""


def parse_key(text: str) -> tuple[str, bytes]:
    """Name and bytes of one key. Raises KeyFormatError."""
    name, _, encoded = text.strip().partition("=")
    try:
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not _NAME.fullmatch(name) or len(raw) != _KEY_BYTES:
        raise KeyFormatError("write a key as NAME=KEY, the way `hfts keygen` prints it")
    return name, raw


def parse_keys(text: str) -> dict[str, bytes]:
    """The keys of a comma-separated list by name. Raises KeyFormatError."""
    parts = text.split(",")
    keys = dict(map(parse_key, parts))
    if len(parts) > KEYS_MAX or len(keys) != len(parts):
        raise KeyFormatError(f"give at most {KEYS_MAX} keys, each a name of its own")
    return keys


def format_key(name: str, raw: bytes) -> str:
    """The key as ``parse_key`` reads it. Raises KeyFormatError for a name that cannot be one."""
    if not _NAME.fullmatch(name):
        raise KeyFormatError("a key's name has 1 to 64 letters, digits, dots, dashes and underscores")
    return f"{name}={base64.urlsafe_b64encode(raw).rstrip(b'=').decode()}"
