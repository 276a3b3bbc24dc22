"""Checks of the mail server: whether it would take our e-mails."""

from ops.doctor.check import Area, Check
from ops.doctor.checks.security import is_near
from ops.doctor.facts.mail import MailServer
from ops.doctor.finding import Finding, ok, problem, warning

NOBODY_IS_TOLD = "E-mails wait, and are given up after four tries."

_REMEDIES = {
    "connection": "Start it, or set SMTP_URL to where it is: smtp://, or smtps:// where TLS comes first.",
    "EHLO": "Set SMTP_URL to a mail server that lets this machine in.",
    "STARTTLS": "A login is sent through TLS alone. Let the server offer STARTTLS, with a certificate of an authority "
    "that the system or SSL_CERT_FILE knows.",
    "login": "Set user and password in SMTP_URL to what it knows, special characters percent-encoded.",
}


def judge_mail_server(found: MailServer | None) -> list[Finding]:
    """It lets us in, through TLS if it is on another machine."""
    if found is None:
        return [ok("SMTP_URL is not set: no e-mail is delivered, and what would be told is in the log")]
    if found.name_fault is not None:
        seen = f"the host name {found.host} of SMTP_URL has no address here ({found.name_fault})"
        return [problem(seen, NOBODY_IS_TOLD, "Set SMTP_URL to a name that this machine knows.")]
    if found.failed is not None:
        seen = f"the mail server {found.name} cannot be used, {found.failed} fails: {found.fault}"
        return [problem(seen, NOBODY_IS_TOLD, _REMEDIES[found.failed])]
    if not found.is_encrypted and not is_near(found.host):
        return [
            warning(
                f"the mail server {found.name} offers no TLS",
                "Names, amounts and references cross the network in the clear.",
                "Unless nobody else is on that network, let it offer STARTTLS, or set SMTP_URL to smtps://.",
            )
        ]
    steps = ["EHLO", *["TLS"] * found.is_encrypted, *["login"] * found.has_login]
    return [ok(f"the mail server {found.name} lets us in ({', '.join(steps)})")]


AREA = Area(
    "Mail",
    (
        Check(
            "mail-server",
            "a mail server that is away, or refuses TLS or the login",
            "Start it, or set `SMTP_URL`",
            lambda facts: facts.mail_server,
            judge_mail_server,
        ),
    ),
)
