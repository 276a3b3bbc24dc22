"""A real SMTP server in this event loop that accepts mail, or does what a test wants instead."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Literal, TypeAlias

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Behaviour: TypeAlias = Literal[
    "accept",
    "refuse sender",
    "refuse recipient",
    "refuse for now",
    "refuse data",
    "stall at once",
    "stall",
    "drop",
    "drop after data",
]
DROPS = {"drop", "drop after data"}


class MailServer:
    """Keeps what it accepted, in ``messages``; ``drop after data`` accepts and is gone before it says so."""

    def __init__(self) -> None:
        self.behaviour: Behaviour = "accept"
        self.messages: list[EmailMessage] = []
        self.connections = 0
        self.logins: list[bytes] = []
        self.port = 0
        self.sent_to: list[str] = []

    @property
    def ids(self) -> Counter[str]:
        """How often each message came."""
        return Counter(str(message["Message-ID"]) for message in self.messages)

    async def handle_EHLO(  # noqa: N802 (aiosmtpd's names and arguments, as below)
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, answers: list[str]
    ) -> list[str]:
        if self.behaviour == "stall at once":
            await asyncio.Event().wait()
        session.host_name = hostname
        return answers

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.behaviour == "refuse sender":
            return "550 5.7.1 not from you"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.behaviour == "refuse recipient":
            return "550 5.1.1 no such user here"
        if self.behaviour == "refuse for now":
            return "451 4.7.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.behaviour == "refuse data":
            return "554 5.7.1 looks like spam"
        if self.behaviour == "stall":
            await asyncio.Event().wait()
        if self.behaviour != "drop":
            message = message_from_bytes(envelope.original_content or b"", policy=default)
            assert isinstance(message, EmailMessage)
            self.messages.append(message)
            self.sent_to += envelope.rcpt_tos
        if self.behaviour in DROPS:
            transport = server.transport
            assert isinstance(transport, asyncio.Transport)
            transport.abort()
        return "250 OK"

    def authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, login: Any) -> AuthResult:
        """Whoever knows the password is let in; who does not is told it again, as by some servers."""
        assert isinstance(login, LoginPassword)
        self.logins.append(login.login)
        if login.password == b"right":
            return AuthResult(success=True)
        return AuthResult(success=False, handled=False, message=f"535 5.7.8 wrong: {login.password.decode()}")


@asynccontextmanager
async def mail_server(**options: Any) -> AsyncIterator[MailServer]:
    """A server on a free port of the loopback interface; ``options`` are aiosmtpd's."""
    server, transports = MailServer(), list[asyncio.Transport]()

    class Protocol(SMTP):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            server.connections += 1
            transports.append(transport)
            super().connection_made(transport)

    def protocol() -> SMTP:
        loop = asyncio.get_running_loop()
        return Protocol(server, hostname="mail.test", loop=loop, authenticator=server.authenticate, **options)

    listening = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for transport in transports:
            transport.abort()
        await asyncio.sleep(0)
