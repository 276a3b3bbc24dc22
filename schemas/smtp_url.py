"""Where a mail server is and how to talk to it, as one URL."""

from urllib.parse import unquote, urlsplit

import msgspec

PORTS = {"smtp": 25, "smtps": 465}
"""Without a port in the URL (RFC 5321 section 2.1, RFC 8314 section 7.3)."""
SUBMISSION_PORT = 587
"""With a login and STARTTLS (RFC 6409 section 3.1)."""


class SmtpServer(msgspec.Struct, frozen=True):
    """A mail server. ``is_tls``: TLS from the first byte; otherwise STARTTLS, which a login insists on."""

    host: str
    port: int
    is_tls: bool
    username: str | None
    password: str | None

    def __repr__(self) -> str:
        """Without the login."""
        return f"SmtpServer({self.host}:{self.port})"


def parse_smtp_url(text: str) -> SmtpServer:
    """From ``smtp://[user:password@]host[:port]`` or ``smtps://…``; what is special in a login is percent-encoded.

    Raises ValueError, which does not repeat the text.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if parts.scheme not in PORTS or not host or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must be smtp:// or smtps://[USER:PASSWORD@]HOST[:PORT]")
    if (parts.username is None) != (parts.password is None):
        raise ValueError("must have both a user and a password, or neither")
    username = None if parts.username is None else unquote(parts.username)
    password = None if parts.password is None else unquote(parts.password)
    is_tls = parts.scheme == "smtps"
    default = SUBMISSION_PORT if username is not None and not is_tls else PORTS[parts.scheme]
    return SmtpServer(host, port or default, is_tls, username, password)
