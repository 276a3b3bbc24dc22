"""What people read."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any
from uuid import UUID

import pytest
from builders import new_id

from schemas.notifications import Notification
from schemas.smtp_url import SmtpServer, parse_smtp_url
from sinks.delivery.digest import LINES_MAX, digest_of
from sinks.delivery.mail import email_of
from sinks.delivery.words import amount_text, headline

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SENDER = "The Bank <no-reply@bank.example>"


def told(**changes: Any) -> Notification:
    fields: dict[str, Any] = {
        "transfer_id": new_id(),
        "recipient": "sender",
        "user_id": new_id(),
        "wallet_id": new_id(),
        "email": "anna@example.com",
        "status": "COMPLETED",
        "reason": None,
        "amount": "12.5000",
        "currency": "USD",
        "reference": None,
        "completed_at": NOW,
    }
    return Notification(**(fields | changes))


def sent(*notifications: Notification) -> EmailMessage:
    """As whoever gets it reads it."""
    raw = email_of(notifications, SENDER, UUID(int=7), NOW).as_bytes()
    message = message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def parts(message: EmailMessage) -> tuple[str, str]:
    plain, html = message.get_body(["plain"]), message.get_body(["html"])
    assert plain is not None
    assert html is not None
    return plain.get_content(), html.get_content()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "You paid 12.50 USD"),
        ({"recipient": "receiver"}, "You received 12.50 USD"),
        ({"status": "FAILED", "reason": "insufficient_funds"}, "Your payment of 12.50 USD failed"),
        ({"kind": "hold"}, "12.50 USD is held in your wallet"),
        ({"kind": "void"}, "12.50 USD is no longer held"),
        ({"kind": "capture", "recipient": "receiver"}, "You received 12.50 USD"),
        ({"kind": "reversal", "recipient": "receiver"}, "12.50 USD was paid back to you"),
        ({"kind": "reversal", "status": "FAILED"}, "12.50 USD could not be paid back"),
        ({"kind": "something new"}, "You paid 12.50 USD"),
    ],
)
def test_the_subject_says_what_happened(changes: dict[str, Any], words: str) -> None:
    notification = told(**changes)
    assert headline(notification) == words
    assert sent(notification)["Subject"] == words


@pytest.mark.parametrize(("amount", "text"), [("1.0000", "1.00 A"), ("0.0001", "0.0001 A"), ("7.1250", "7.125 A")])
def test_amounts_have_two_decimals_or_as_many_as_they_need(amount: str, text: str) -> None:
    assert amount_text(amount, "A") == text


def test_it_says_what_it_is_and_asks_for_no_answer() -> None:
    message = sent(told())
    assert str(message["From"]) == SENDER
    assert str(message["To"]) == "anna@example.com"
    assert message["Message-ID"] == f"<{UUID(int=7)}@bank.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == NOW
    assert message.get_content_type() == "multipart/alternative"


def test_both_parts_tell_it_all_and_nothing_becomes_markup() -> None:
    notification = told(reference="<img src=//evil> & $more", status="FAILED", reason="wallet_frozen")
    plain, html = parts(sent(notification))
    assert "<img src=//evil> & $more" in plain
    assert "&lt;img src=//evil&gt; &amp; $more" in html
    for text in (plain, html):
        assert "wallet frozen" in text
        assert notification.transfer_id in text
        assert "2026-01-02 03:04:05 UTC" in text
    assert "<img" not in html
    assert "http" not in html


def test_a_line_break_in_a_reference_is_no_header() -> None:
    message = sent(told(reference="rent\r\nBcc: everyone@example.com"))
    assert message["Bcc"] is None


@pytest.mark.parametrize("address", ["a\r\nBcc: b@example.com", "two@example.com, three@example.com", ""])
def test_an_address_that_cannot_stand_in_a_header_is_refused(address: str) -> None:
    with pytest.raises(Exception, match=r".+"):
        email_of([told(email=address)], SENDER, UUID(int=7), NOW)


def test_a_digest_sums_up_by_currency_and_shows_the_newest() -> None:
    many = [told(completed_at=NOW + timedelta(minutes=n), amount=f"{n}.0001") for n in range(1, 101)]
    others = [
        told(recipient="receiver", currency="EUR", amount="99999999999999.9999"),
        told(recipient="receiver", currency="EUR", amount="0.0001"),
        told(status="FAILED", amount="3.0000"),
        told(kind="hold", amount="4.0000"),
        told(kind="void", amount="4.0000"),
    ]
    digest = digest_of([*others, *many])
    assert [(each.sort, each.count, each.total) for each in digest.sums] == [
        ("Failed", 1, "3.00 USD"),
        ("Held", 1, "4.00 USD"),
        ("No longer held", 1, "4.00 USD"),
        ("Received", 2, "100000000000000.00 EUR"),
        ("Sent", 100, "5050.01 USD"),
    ]
    assert digest.lines[0] == ("2026-01-02 04:44", "You paid 100.0001 USD")
    assert (len(digest.lines), digest.left_out) == (LINES_MAX, 55)
    message = sent(*others, *many)
    assert message["Subject"] == "105 transfers"
    for text in parts(message):
        assert "5050.01 USD" in text
        assert "55 more" in text
        assert "You paid 100.0001 USD" in text


def test_a_small_digest_leaves_nothing_out() -> None:
    plain, _ = parts(sent(told(), told(recipient="receiver")))
    assert "more before" not in plain


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail:1025", SmtpServer("mail", 1025, False, None, None)),
        ("smtp://mail", SmtpServer("mail", 25, False, None, None)),
        ("smtp://me:p%40ss@mail", SmtpServer("mail", 587, False, "me", "p@ss")),
        ("smtps://me%40here:x@mail/", SmtpServer("mail", 465, True, "me@here", "x")),
        ("smtp://[::1]:2525", SmtpServer("::1", 2525, False, None, None)),
    ],
)
def test_a_mail_server_has_a_url(url: str, server: SmtpServer) -> None:
    assert parse_smtp_url(url) == server
    assert "x" not in repr(server).replace("SmtpServer", "")


@pytest.mark.parametrize(
    "url",
    ["", "mail:25", "http://mail", "smtp://", "smtp://me@mail", "smtp://mail:port", "smtp://mail/x", "smtp://m?a=1"],
)
def test_what_is_no_mail_server_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r"^(is|must)"):
        parse_smtp_url(url)
