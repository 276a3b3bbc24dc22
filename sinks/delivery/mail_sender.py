"""Sends e-mails to the mail server of the settings."""

import asyncio
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import parseaddr

import aiosmtplib
import structlog

from schemas.notifications import decode_notification
from schemas.smtp_url import SmtpServer
from sinks.delivery.mail import email_of
from sinks.delivery.mail_connection import MailServerError, connect, leave
from sinks.delivery.queue import Message
from sinks.delivery.tries import ACCEPTED, Verdict, failed, refused
from sinks.postgres.retry import describe

GREET_S_MAX = 5.0
"""For a server that we have a connection to, to say that it is still there."""

_PERMANENT_FROM = 500

_log = structlog.get_logger(__name__)


class MailSender:
    """Keeps connections open between messages, as many as messages go out at once."""

    def __init__(self, server: SmtpServer, sender: str) -> None:
        self._server = server
        self._sender = sender
        self._idle: list[aiosmtplib.SMTP] = []

    async def send(self, message: Message) -> Verdict:
        """Hand one message over to the server, whose word of acceptance makes it the server's.

        Refused is what the server refuses for good (5yz) on account of this message. A login that it refuses, or a
        sender, is a fault of ours, which may be mended by the next try.
        """
        notifications = [decode_notification(each.notification) for each in message.deliveries]
        try:
            email = email_of(notifications, self._sender, message.message_id, datetime.now(UTC))
        except Exception as error:  # noqa: BLE001 (the library's parser raises many)
            return refused(f"no e-mail can be made of it ({type(error).__name__})")
        try:
            client = await self._connected()
        except MailServerError as error:
            _log.warning("mail_server.away", step=error.step, error=error.why)
            return failed(f"the mail server cannot be had: {error}")
        return await self._hand_over(client, email)

    async def close(self) -> None:
        """Say good-bye on all connections."""
        while self._idle:
            await leave(self._idle.pop())

    async def _hand_over(self, client: aiosmtplib.SMTP, email: EmailMessage) -> Verdict:
        try:
            await client.send_message(email, sender=parseaddr(self._sender)[1])
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException) as error:
            verdict = _of_reply(error)
        except (aiosmtplib.SMTPNotSupported, ValueError) as error:  # an address that this server does not take
            verdict = refused(describe(error))
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            return failed(describe(error))
        except asyncio.CancelledError:
            client.close()
            raise
        else:
            verdict = ACCEPTED
        if client.is_connected:
            self._idle.append(client)
        return verdict

    async def _connected(self) -> aiosmtplib.SMTP:
        while self._idle:
            client = self._idle.pop()
            try:
                await client.noop(timeout=GREET_S_MAX)
            except (aiosmtplib.SMTPException, OSError):
                client.close()
            else:
                return client
        return await connect(self._server)


def _of_reply(error: aiosmtplib.SMTPRecipientsRefused | aiosmtplib.SMTPResponseException) -> Verdict:
    reply = error.recipients[0] if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else error
    why = f"{reply.code} {reply.message}"
    is_ours = isinstance(reply, aiosmtplib.SMTPSenderRefused)
    return refused(why) if reply.code >= _PERMANENT_FROM and not is_ours else failed(why)
