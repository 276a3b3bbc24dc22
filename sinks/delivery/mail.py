"""The e-mail that tells a notification, or many in one, as text and as HTML (RFC 5322, RFC 2046 section 5.1.4)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape
from pathlib import Path
from string import Template
from uuid import UUID

from schemas.notifications import Notification
from sinks.delivery.digest import Digest, digest_of
from sinks.delivery.words import details, headline

WHY_ONE = "You get this because you have a wallet with us."
WHY_DIGEST = "You get one message for all of these because there were many in a short time."

_FOLDER = Path(__file__).parent / "templates"


def _template(name: str) -> Template:
    return Template((_FOLDER / name).read_text(encoding="utf-8"))


_NOTICE, _DIGEST, _PAGE, _TABLE, _ROW = map(
    _template, ("notice.txt", "digest.txt", "page.html", "table.html", "row.html")
)


def email_of(notifications: Sequence[Notification], sender: str, message_id: UUID, now: datetime) -> EmailMessage:
    """To the address of the newest of these, all of one user.

    Raises ValueError, or another error of the library's, for an address that cannot stand in a header.
    """
    if len(notifications) == 1:
        subject, text, html = _one(notifications[0])
    else:
        subject, text, html = _many(digest_of(notifications))
    newest = max(notifications, key=lambda each: each.completed_at)
    name, address = parseaddr(sender)
    message = EmailMessage(SMTP)
    message["From"] = Address(name, addr_spec=address)
    message["To"] = Address(addr_spec=newest.email)
    message["Subject"] = subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{message_id}@{address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic answers, please
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message


def _one(notification: Notification) -> tuple[str, str, str]:
    title, found = headline(notification), details(notification)
    width = max(len(name) for name, _ in found) + 2
    text = "\n".join(f"{name + ':':<{width}}{value}" for name, value in found)
    return title, _NOTICE.substitute(headline=title, details=text, why=WHY_ONE), _page(title, _table(found), WHY_ONE)


def _many(digest: Digest) -> tuple[str, str, str]:
    title = f"{digest.count:,} transfers"
    span = f"From {digest.since:%Y-%m-%d %H:%M} to {digest.until:%Y-%m-%d %H:%M} UTC"
    sums = [(f"{each.sort}, {each.count:,}", each.total) for each in digest.sums]
    left_out = f"… and {digest.left_out:,} more before these." if digest.left_out else ""
    text = _DIGEST.substitute(
        headline=title,
        span=span,
        sums="\n".join(f"{name}: {total}" for name, total in sums),
        lines="\n".join([*(f"{time}  {line}" for time, line in digest.lines), *filter(None, [left_out])]),
        why=WHY_DIGEST,
    )
    content = f"<p>{span}</p>{_table(sums)}{_table(digest.lines)}<p>{left_out}</p>"
    return title, text, _page(title, content, WHY_DIGEST)


def _page(title: str, content: str, why: str) -> str:
    return _PAGE.substitute(headline=escape(title), content=content, why=why)


def _table(rows: Iterable[tuple[str, str]]) -> str:
    return _TABLE.substitute(
        rows="".join(_ROW.substitute(name=escape(name), value=escape(value)) for name, value in rows)
    )
