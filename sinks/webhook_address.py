"""Where a webhook may be: https, at an address of the public Internet, so that nobody makes us call our own servers.

The URL is judged when it is set, and each address that its name resolves to when something is sent: names change.
"""

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from schemas.notifications import WEBHOOK_URL_CHARS_MAX

_URL_CHARS = re.compile(r"[!-\[\]-~]+")
"""Printable ASCII without blanks and backslashes, which parsers of URLs take in different ways."""
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
"""A last label that makes resolvers take the name for an IPv4 address (URL standard, "ends in a number")."""
_NAME_CHARS_MAX = 253

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


class WebhookUrlError(ValueError):
    """A webhook cannot be at this URL; the message says why, and does not repeat it."""


def is_public(address: str | IPv4Address | IPv6Address) -> bool:
    """Whether the address is one of the public Internet: not private, loopback, link-local, multicast or reserved.

    An IPv6 address that stands for an IPv4 address (mapped, NAT64 or 6to4; RFC 4291, 6052 and 3056) is judged by that.
    Raises ValueError for a text that is no address.
    """
    ip = ip_address(address) if isinstance(address, str) else address
    if isinstance(ip, IPv6Address):
        inner = _inner(ip)
        if inner is None:
            return ip.scope_id is None and ip in _GLOBAL_UNICAST and ip.is_global
        ip = inner
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def check_url(text: str, *, private_ok: bool = False) -> None:
    """Return if a webhook may be at this URL; ``private_ok`` lets it be http and at a private address, too.

    Raises WebhookUrlError.
    """
    if len(text) > WEBHOOK_URL_CHARS_MAX or not _URL_CHARS.fullmatch(text):
        raise WebhookUrlError(f"must be at most {WEBHOOK_URL_CHARS_MAX} printable ASCII characters, without blanks")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise WebhookUrlError("is not a URL") from None
    if parts.scheme != "https" and not (private_ok and parts.scheme == "http"):
        raise WebhookUrlError("must begin with https://")
    if "@" in parts.netloc:
        raise WebhookUrlError("must not hold a user name or password")
    if "#" in text:
        raise WebhookUrlError("must not have a fragment")
    if port == 0 or parts.netloc.endswith(":"):
        raise WebhookUrlError("has no port that can be called")
    _check_host(host, private_ok=private_ok)


def _check_host(host: str, *, private_ok: bool) -> None:
    name = host.removesuffix(".")
    try:
        ip = ip_address(host)
    except ValueError:
        labels = name.split(".")
        if len(name) > _NAME_CHARS_MAX or not all(map(_LABEL.fullmatch, labels)) or _NUMBER.fullmatch(labels[-1]):
            raise WebhookUrlError("has no host name that can be looked up") from None
        is_ours = labels[-1] == "localhost"
    else:
        is_ours = not is_public(ip)
    if is_ours and not private_ok:
        raise WebhookUrlError("must not be at a private, local or reserved address")


def _inner(ip: IPv6Address) -> IPv4Address | None:
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour
