"""The doctor on the mail server: each step that can fail, at a real one."""

import ssl
from dataclasses import replace
from pathlib import Path

import pytest
from certificates import Authority
from doctor_findings import only
from mail_server import mail_server
from pydantic import SecretStr

from ops.doctor.checks.mail import judge_mail_server
from ops.doctor.facts.mail import MailServer, read_mail_server
from ops.doctor.finding import Finding, Verdict
from ops.embedded.ports import free_port
from schemas.settings import Settings

PASSWORD = "wrong-and-secret"


async def found(url: str | None, verdict: Verdict) -> Finding:
    smtp_url = None if url is None else SecretStr(url)
    settings = Settings(_env_file=None, postgres_password="p", secret_key="k" * 40, smtp_url=smtp_url)
    read = await read_mail_server(settings)
    finding = only(judge_mail_server(read), verdict)
    assert PASSWORD not in f"{read} {finding}"
    return finding


async def test_without_one_no_e_mail_is_delivered() -> None:
    assert "no e-mail is delivered" in (await found(None, Verdict.OK)).seen


async def test_one_that_would_take_e_mails_gets_none() -> None:
    async with mail_server() as server:
        assert "lets us in (EHLO)" in (await found(f"smtp://127.0.0.1:{server.port}", Verdict.OK)).seen
        assert (server.connections, server.messages) == (1, [])


async def test_one_that_is_away() -> None:
    port = free_port(())
    finding = await found(f"smtp://me:{PASSWORD}@127.0.0.1:{port}", Verdict.PROBLEM)
    assert f"127.0.0.1:{port} cannot be used, connection fails" in finding.seen
    assert "the host name nobody.invalid" in (await found("smtp://nobody.invalid", Verdict.PROBLEM)).seen


async def test_one_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.doctor.facts.mail.MAIL_TIMEOUT_S", 0.1)
    async with mail_server() as server:
        server.behaviour = "stall at once"
        assert "EHLO fails: TimeoutError" in (await found(f"smtp://127.0.0.1:{server.port}", Verdict.PROBLEM)).seen


async def test_a_login_is_not_sent_without_tls() -> None:
    async with mail_server() as server:
        finding = await found(f"smtp://me:{PASSWORD}@127.0.0.1:{server.port}", Verdict.PROBLEM)
        assert "STARTTLS fails: SMTPException" in finding.seen
        assert server.logins == []
        finding = await found(f"smtps://me:{PASSWORD}@127.0.0.1:{server.port}", Verdict.PROBLEM)
        assert "connection fails: TLS with" in finding.seen


async def test_a_certificate_and_a_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path, "post")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.issue("mail", "127.0.0.1"))
    async with mail_server(tls_context=context, require_starttls=True, auth_required=True) as server:
        wrong, right = (f"smtp://me:{word}@127.0.0.1:{server.port}" for word in (PASSWORD, "right"))
        assert "STARTTLS fails: the certificate" in (await found(right, Verdict.PROBLEM)).seen
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.cafile))
        assert "login fails: refused (535)" in (await found(wrong, Verdict.PROBLEM)).seen
        assert "lets us in (EHLO, TLS, login)" in (await found(right, Verdict.OK)).seen


def test_messages_in_the_clear_on_a_network() -> None:
    plain = MailServer("mail.example.com", 25, has_login=False)
    assert "mail.example.com:25 offers no TLS" in only(judge_mail_server(plain), Verdict.WARNING).seen
    only(judge_mail_server(replace(plain, is_encrypted=True)), Verdict.OK)
    assert "[::1]:25" in only(judge_mail_server(replace(plain, host="::1")), Verdict.OK).seen
