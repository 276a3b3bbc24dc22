"""A connection to the mail server that is ready for messages: encrypted and logged in, where that is wanted."""

import asyncio
from typing import Literal, TypeAlias

import aiosmtplib

from schemas.smtp_url import SmtpServer
from sinks.delivery.tries import TRY_S_MAX
from sinks.errors import SinkError
from sinks.postgres.retry import describe

CONNECT_S_MAX = 30.0
LEAVE_S_MAX = 5.0

Step: TypeAlias = Literal["connection", "EHLO", "STARTTLS", "login"]


class MailServerError(SinkError):
    """There is no connection that is ready.

    The message tells the ``step`` that failed, and the code of the server's answer: who gets e-mails may read it.
    ``cause`` is what we know, and ``why`` says so, but for the server's words on a login, which some make of the login.
    """

    def __init__(self, step: Step, cause: aiosmtplib.SMTPException | OSError) -> None:
        code = cause.code if isinstance(cause, aiosmtplib.SMTPResponseException) else None
        super().__init__(f"{step} failed" + ("" if code is None else f" ({code})"))
        self.step = step
        self.cause = cause
        self.why = describe(cause) if step != "login" or code is None else f"refused ({code})"


async def connect(server: SmtpServer, within_s: float = CONNECT_S_MAX) -> aiosmtplib.SMTP:
    """The steps of RFC 5321, 3207 and 4954 up to the first message. Raises MailServerError.

    A login goes through TLS alone, to a server whose certificate was checked. Without one, TLS with whomever is still
    better than none (RFC 7435).
    """
    has_login = server.username is not None
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.is_tls,
        start_tls=False,
        validate_certs=has_login or server.is_tls,
        timeout=TRY_S_MAX,
    )
    step: Step = "connection"
    try:
        async with asyncio.timeout(within_s):
            await client.connect()
            step = "EHLO"
            await client.ehlo()
            if not server.is_tls and (has_login or client.supports_extension("starttls")):
                step = "STARTTLS"
                await client.starttls()
            if server.username is not None:
                step = "login"
                await client.login(server.username, server.password or "")
    except (aiosmtplib.SMTPException, OSError) as error:
        client.close()
        raise MailServerError(step, error) from None
    except BaseException:
        client.close()
        raise
    return client


async def leave(client: aiosmtplib.SMTP) -> None:
    """Say good-bye."""
    try:
        await client.quit(timeout=LEAVE_S_MAX)
    except (aiosmtplib.SMTPException, OSError):
        client.close()
