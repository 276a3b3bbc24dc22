"""Handing e-mails over to a real SMTP server, in every way that this can go."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from certificates import Authority
from deliveries import a_notification
from mail_server import Behaviour, MailServer, mail_server
from msgspec.structs import replace
from structlog.testing import capture_logs

from schemas.notifications import encode_notification
from schemas.smtp_url import SmtpServer
from sinks.delivery.mail_sender import MailSender
from sinks.delivery.queue import Message
from sinks.delivery.shares import Delivery
from sinks.delivery.tries import Verdict, failed

SENDER = "The Bank <no-reply@bank.example>"


def a_message(email: str = "anna@example.com") -> Message:
    notification = a_notification(email=email)
    value = encode_notification(notification)
    delivery = Delivery(UUID(notification.transfer_id), "sender", UUID(notification.user_id), 0, value)
    return Message("email", (delivery,), 1, datetime.now(UTC))


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as server:
        yield server


@pytest.fixture
async def sender(server: MailServer) -> AsyncIterator[MailSender]:
    sender = MailSender(SmtpServer("127.0.0.1", server.port, False, None, None), SENDER)
    yield sender
    await sender.close()


async def test_what_is_accepted_has_come(sender: MailSender, server: MailServer) -> None:
    messages = [a_message(), a_message()]
    assert [(await sender.send(message)).how for message in messages] == ["accepted", "accepted"]
    assert server.ids == {f"<{message.message_id}@bank.example>": 1 for message in messages}
    assert server.sent_to == ["anna@example.com"] * 2
    assert server.connections == 1, "a connection is used again"


@pytest.mark.parametrize(
    ("behaviour", "verdict"),
    [
        ("refuse recipient", Verdict("refused", "550 5.1.1 no such user here")),
        ("refuse data", Verdict("refused", "554 5.7.1 looks like spam")),
        ("refuse for now", Verdict("failed", "451 4.7.1 come back later")),
        ("refuse sender", Verdict("failed", "550 5.7.1 not from you")),
    ],
)
async def test_a_refusal_is_for_good_or_for_now(
    sender: MailSender, server: MailServer, behaviour: Behaviour, verdict: Verdict
) -> None:
    server.behaviour = behaviour
    assert await sender.send(a_message()) == verdict
    server.behaviour = "accept"
    assert (await sender.send(a_message())).how == "accepted"
    assert (server.connections, len(server.messages)) == (1, 1)


@pytest.mark.parametrize(("behaviour", "came"), [("drop", 0), ("drop after data", 1)])
async def test_a_connection_that_is_lost_leaves_it_open_and_is_tried_again(
    sender: MailSender, server: MailServer, behaviour: Behaviour, came: int
) -> None:
    message = a_message()
    server.behaviour = behaviour
    assert (await sender.send(message)).how == "failed"
    server.behaviour = "accept"
    assert (await sender.send(message)).how == "accepted"
    assert server.ids == {f"<{message.message_id}@bank.example>": came + 1}, "a double has the same id"


async def test_a_server_that_stalls_is_left(sender: MailSender, server: MailServer) -> None:
    server.behaviour = "stall"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await sender.send(a_message())
    server.behaviour = "accept"
    assert (await sender.send(a_message())).how == "accepted"
    assert server.connections == 2


async def test_a_connection_that_has_died_meanwhile_is_not_used_again(sender: MailSender, server: MailServer) -> None:
    assert (await sender.send(a_message())).how == "accepted"
    [client] = sender._idle
    assert client.transport is not None
    client.transport.close()
    assert (await sender.send(a_message())).how == "accepted"
    assert server.connections == 2


async def test_a_server_that_is_away_is_a_failure_that_may_pass() -> None:
    sender = MailSender(SmtpServer("127.0.0.1", 9, False, None, None), SENDER)
    with capture_logs() as lines:
        verdict = await sender.send(a_message())
    assert verdict == failed("the mail server cannot be had: connection failed"), "people see it, who need no addresses"
    assert "127.0.0.1" in lines[0]["error"]


async def test_an_address_that_is_none_is_refused_before_anybody_is_asked(
    sender: MailSender, server: MailServer
) -> None:
    verdict = await sender.send(a_message("anna@example.com, ben@example.com"))
    assert (verdict.how, server.connections) == ("refused", 0)
    assert "anna" not in (verdict.why or "")


async def test_a_login_goes_through_tls_that_is_checked_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path, "post")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.issue("mail", "127.0.0.1"))
    async with mail_server() as plain:
        careful = MailSender(SmtpServer("127.0.0.1", plain.port, False, "me", "right"), SENDER)
        assert (await careful.send(a_message())).how == "failed"
        assert (plain.messages, plain.logins) == ([], [])
    async with mail_server(tls_context=context, require_starttls=True, auth_required=True) as server:
        server_of_ours = SmtpServer("127.0.0.1", server.port, False, "me", "right")
        assert (await MailSender(server_of_ours, SENDER).send(a_message())).how == "failed"
        assert server.logins == [], "nobody knows who that is"
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.cafile))
        with capture_logs() as lines:
            verdict = await MailSender(replace(server_of_ours, password="wr0ng"), SENDER).send(a_message())
        assert verdict == failed("the mail server cannot be had: login failed (535)")
        assert "wr0ng" not in str(lines), "though the server repeats it"
        sender = MailSender(server_of_ours, SENDER)
        assert (await sender.send(a_message())).how == "accepted"
        await sender.close()
        assert set(server.logins) == {b"me"}
