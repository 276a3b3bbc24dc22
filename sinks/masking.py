"""Hides in texts what a log must not hold: people's addresses, and credentials of any kind."""

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "***"

_SYMBOLS = r".!#$%&'*+/=?^`{|}~-"
_EMAIL = re.compile(rf"(?<![\w{_SYMBOLS}])([{_SYMBOLS}]*\w)[\w{_SYMBOLS}]*@([\w-]+(?:\.[\w-]+)+)")
"""An address (RFC 5322 section 3.2.3, without quoted ones). Tried where a run of its characters begins, and nowhere
else, so that looking through a text takes no longer than the text is long."""
_TOKEN = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*")
"""A JWT: its first part is JSON that begins with a brace and a quotation mark, in base64url (RFC 7519 section 3.1)."""
_OPAQUE = re.compile(r"\bhfts_(rt|key|pr)_[\w=-]+")
"""A refresh token, an API key, or a token for another password."""
_WEBHOOK_SECRET = re.compile(r"\bwhsec_[\w+/=-]+")
_LOGIN_IN_URL = re.compile(r"(?<=://)[^\s/]+(?=@)")
_BEARER = re.compile(r"(?i)\bbearer [\w.~+/=-]{8,}")

_SECRET_NAMES = re.compile(r"(?i)passw|secret|token|authorization|receipt|credential")


def mask_email(email: str) -> str:
    """The address with all but its first character and its domain hidden, as logs may show it."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}{HIDDEN}@{domain}"


def mask_text(text: str) -> str:
    """The text with addresses, JSON web tokens, tokens, keys and secrets of ours, and logins in URLs hidden."""
    if "@" in text:
        text = _LOGIN_IN_URL.sub(HIDDEN, text)
        text = _EMAIL.sub(rf"\1{HIDDEN}@\2", text)
    if "eyJ" in text:
        text = _TOKEN.sub(HIDDEN, text)
    if "hfts_" in text:
        text = _OPAQUE.sub(rf"hfts_\1_{HIDDEN}", text)
    if "whsec_" in text:
        text = _WEBHOOK_SECRET.sub(f"whsec_{HIDDEN}", text)
    return _BEARER.sub(f"Bearer {HIDDEN}", text)


def masked(value: Any, name: str = "") -> Any:
    """A value as a log may show it under this name: plain values alone, their texts masked, and nothing of a secret."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if _SECRET_NAMES.search(name):
        return HIDDEN
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {str(key): masked(each, str(key)) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(each) for each in value]
    return mask_text(repr(value))
