"""The mail server of the settings, and how far a delivery would get with it."""

import ssl
from dataclasses import dataclass, replace

from ops.doctor.facts.names import name_fault
from schemas.settings import Settings
from schemas.smtp_url import parse_smtp_url
from sinks.delivery.mail_connection import MailServerError, Step, connect, leave
from sinks.tls import explain_tls

MAIL_TIMEOUT_S = 12.0


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where it is, by its ``name``, host:port. ``name_fault`` is why the host's name has no address here, ``failed``
    the step that failed for the reason ``fault``. Without these it would take e-mails."""

    host: str
    port: int
    has_login: bool
    name_fault: str | None = None
    failed: Step | None = None
    fault: str = ""
    is_encrypted: bool = False

    @property
    def name(self) -> str:
        """As people write it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


async def read_mail_server(settings: Settings) -> MailServer | None:
    """Go up to the point where an e-mail would be sent, and leave. None without a mail server."""
    if settings.smtp_url is None:
        return None
    server = parse_smtp_url(settings.smtp_url.get_secret_value())
    found = MailServer(server.host, server.port, has_login=server.username is not None)
    unknown = await name_fault(server.host)
    if unknown is not None:
        return replace(found, name_fault=unknown)
    try:
        client = await connect(server, MAIL_TIMEOUT_S)
    except MailServerError as error:
        return replace(found, failed=error.step, fault=_explain(error, found.name))
    is_encrypted = client.get_transport_info("sslcontext") is not None
    await leave(client)
    return replace(found, is_encrypted=is_encrypted)


def _explain(error: MailServerError, name: str) -> str:
    for cause in (error.cause, error.cause.__cause__):
        if isinstance(cause, ssl.SSLError):
            return explain_tls(cause, name, "SSL_CERT_FILE")
    return error.why
