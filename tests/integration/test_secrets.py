"""Secrets stay out of logs, errors and what commands print: real processes, all that can go wrong, and one search."""

import asyncio
import base64
import json
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx2
import pytest
from api_calls import wait_readiness
from api_processes import ROOT, api_environment, start_api
from pydantic import SecretStr

from ingest_api.opaque_tokens import Prefix, new_token
from ops.embedded.ports import free_port
from schemas.settings import Settings

SETTINGS = {
    "POSTGRES_PASSWORD": "pg-5Jq8wz-not-this-one",  # replaced by the true one where a server is to be reached
    "KAFKA_SASL_PASSWORD": "sasl-T9vXr2-secret",
    "SECRET_KEY": "key-Lw3nHs-" + "k" * 32,
    "SECRET_KEYS_PREVIOUS": "older-Zp6tBc-" + "o" * 32,
    "REQUEST_SIGNING_KEY": "api=" + base64.urlsafe_b64encode(b"signing-Hv2kQd-secret-of-32-byte").decode().rstrip("="),
    "AUDIT_SIGNING_KEY": "api=" + base64.urlsafe_b64encode(b"sealing-Xc7pJn-secret-of-32-byte").decode().rstrip("="),
    "SMTP_URL": "smtp://mailer:smtp-Gd4mVf-secret@127.0.0.1:9",
}
COLLECTOR = {
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:otlp-Yb6fKs-secret@127.0.0.1:9",  # where nobody listens
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20otlp-Nq4gUw-secret",
    "OTEL_BSP_SCHEDULE_DELAY": "100",
}
ADMIN_PASSWORD = "admin-Rk7yNe-secret"
TOO_SHORT = "Wb5tq"
PERSON = f"distinctive.person.{uuid.uuid4().hex[:6]}@example.com"
PERSON_PASSWORD = "person-Xc8uJa-secret"
WRONG_PASSWORD = "wrong-Mf3pDo-secret"


@dataclass
class Evidence:
    """All that was told, and by whom; and what must not be in it."""

    told: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def answer(self, name: str, answer: Any) -> None:
        """The whole of an answer, headers included."""
        self.told[f"{len(self.told)}: {name}, {answer.status_code}"] = f"{dict(answer.headers)} {answer.text}"

    def found(self) -> list[tuple[str, str]]:
        return [
            (where, name)
            for where, text in self.told.items()
            for name, secret in self.secrets.items()
            if secret in text or base64.b64encode(secret.encode()).decode() in text
        ]


def with_secrets(settings: Settings, **changes: str) -> Mapping[str, str]:
    true = {"POSTGRES_PASSWORD": settings.postgres_password.get_secret_value()}
    return {**api_environment(settings, free_port(())), **SETTINGS, **true, "DEBUG": "true", **changes}


def parts_of(secret: str) -> Iterator[str]:
    """What is secret in a setting: of an address the password, of a key what follows its name."""
    yield secret.rpartition("@")[0].rpartition(":")[2] if "@" in secret else secret.removeprefix("api=")


def evidence_of(settings: Settings) -> Evidence:
    evidence = Evidence()
    for name, value in SETTINGS.items():
        [evidence.secrets[name]] = parts_of(value)
    evidence.secrets["true POSTGRES_PASSWORD"] = settings.postgres_password.get_secret_value()
    evidence.secrets["ADMIN_PASSWORD"] = ADMIN_PASSWORD
    evidence.secrets["a password that is too short"] = TOO_SHORT
    evidence.secrets["a password"] = PERSON_PASSWORD
    evidence.secrets["a wrong password"] = WRONG_PASSWORD
    evidence.secrets["the collector's password"] = "otlp-Yb6fKs-secret"
    evidence.secrets["the collector's token"] = "otlp-Nq4gUw-secret"
    return evidence


def test_every_secret_setting_is_looked_for() -> None:
    secret = {
        name.upper() for name, described in Settings.model_fields.items() if "SecretStr" in str(described.annotation)
    }
    assert secret == set(SETTINGS)
    assert SecretStr("x").get_secret_value() not in str(SecretStr("x"))


async def test_the_api_tells_no_secret(settings: Settings, connection: asyncpg.Connection) -> None:
    """Also while nobody takes its traces."""
    evidence = evidence_of(settings)
    with_faults = with_secrets(settings, **COLLECTOR)
    api = await start_api(settings, environ=with_faults)
    try:
        url = f"http://127.0.0.1:{with_faults['API_PORT']}"
        async with httpx2.AsyncClient(base_url=url, timeout=30) as client:
            await wait_readiness(client)
            await go_wrong(client, evidence)
            await have_a_fault(client, connection, evidence)
    finally:
        await told_by(api, "the API", evidence)
    assert "api.listening" in evidence.told["the API"]
    assert "tracing.on" in evidence.told["the API"]
    assert "opentelemetry" in evidence.told["the API"]  # it says that nobody takes its traces
    assert evidence.told["the API"].count("http.fault") == 2
    assert "UndefinedColumnError" in evidence.told["the API"]  # so that the log does hold what went wrong
    assert evidence.found() == []
    assert PERSON.partition("@")[0] not in evidence.told["the API"]


async def test_an_api_that_reaches_nothing_tells_no_secret(settings: Settings) -> None:
    evidence = evidence_of(settings)
    wrong = with_secrets(
        settings,
        OTEL_TRACES_EXPORTER="console",
        POSTGRES_PASSWORD=SETTINGS["POSTGRES_PASSWORD"],
        KAFKA_SECURITY_PROTOCOL="SASL_PLAINTEXT",
        KAFKA_SASL_USERNAME="api",
    )
    api = await start_api(settings, environ=wrong)
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{wrong['API_PORT']}", timeout=30) as client:
            await wait_readiness(client, 503)
            evidence.answer("not ready", await client.get("/readyz"))
            form = {"grant_type": "password", "username": PERSON, "password": PERSON_PASSWORD}
            evidence.answer("log in", await client.post("/v1/auth/token", data=form))
    finally:
        await told_by(api, "the API", evidence)
    assert "database_unavailable" in evidence.told["the API"]
    assert '"http.route": "/v1/auth/token"' in evidence.told["the API"]
    assert evidence.found() == []
    assert PERSON.partition("@")[0] not in evidence.told["the API"]


async def test_a_worker_that_reaches_nothing_tells_no_secret(settings: Settings) -> None:
    evidence = evidence_of(settings)
    wrong = with_secrets(
        settings,
        POSTGRES_PASSWORD=SETTINGS["POSTGRES_PASSWORD"],
        KAFKA_SECURITY_PROTOCOL="SASL_PLAINTEXT",
        KAFKA_SASL_USERNAME="transfers",
        WORKER_PORT=str(free_port(())),
    )
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ops", "worker"),
        env=wrong,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{wrong['WORKER_PORT']}", timeout=30) as client:
            await wait_readiness(client, 503)
            for path in ("/readyz", "/healthz", "/metrics", "/nothing"):
                evidence.answer(path, await client.get(path))
    finally:
        await told_by(worker, "the worker", evidence)
    assert "refuses user" in "".join(evidence.told.values())
    assert "worker.waiting" in evidence.told["the worker"]
    assert evidence.found() == []


COMMANDS = {
    "config": ({}, 0),
    "migrate status": ({"POSTGRES_PASSWORD": SETTINGS["POSTGRES_PASSWORD"]}, 1),
    "topics": ({"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9", "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, 1),
    "create-admin": ({"ADMIN_EMAIL": "root@example.com", "ADMIN_PASSWORD": TOO_SHORT}, 1),
    "doctor": ({"POSTGRES_PASSWORD": SETTINGS["POSTGRES_PASSWORD"], "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, 1),
    "doctor --json": ({"SECRET_KEY": "short-" + TOO_SHORT, "KAFKA_SASL_USERNAME": "me"}, 1),
    "lag": ({"SECRET_KEY": "short-" + TOO_SHORT, "SMTP_URL": SETTINGS["SMTP_URL"], "POSTGRES_PORT": "none"}, 1),
}


@pytest.mark.parametrize("command", COMMANDS)
async def test_commands_tell_no_secret(settings: Settings, command: str) -> None:
    changes, code = COMMANDS[command]
    evidence = evidence_of(settings)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ops", *command.split()),
        env={**with_secrets(settings), "ADMIN_PASSWORD": ADMIN_PASSWORD, "COLUMNS": "400", **changes},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await asyncio.wait_for(process.communicate(), 60)
    evidence.told[command] = told.decode()
    assert process.returncode == code, told.decode()
    assert evidence.found() == []
    if command == "config":
        assert evidence.told[command].count("**********") == len(SETTINGS)


async def go_wrong(client: httpx2.AsyncClient, evidence: Evidence) -> None:
    """Secrets in every place where they do not belong."""
    account = {"email": PERSON, "password": PERSON_PASSWORD}
    form = {"grant_type": "password", "username": PERSON, "password": PERSON_PASSWORD}
    evidence.answer("register", await client.post("/v1/users", json=account))
    evidence.answer("register again", await client.post("/v1/users", json=account))
    token = (await client.post("/v1/auth/token", data=form)).raise_for_status().json()
    evidence.secrets |= {name: token[name] for name in ("access_token", "refresh_token")}
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    webhook = (await client.put("/v1/webhook", json={"url": "https://example.com/"}, headers=bearer)).json()
    rotated = (await client.post("/v1/webhook/secret", headers=bearer)).json()
    evidence.secrets |= {"webhook's secret": webhook["secret"], "its second": rotated["secret"]}
    evidence.answer("webhook", await client.get("/v1/webhook", headers=bearer))
    wallet = (await client.post("/v1/wallets", json={"currency": "EUR"}, headers=bearer)).json()["wallet_id"]
    order = {"source_wallet_id": wallet, "destination_wallet_id": str(uuid.uuid4()), "amount": "1", "currency": "EUR"}
    accepted = (await client.post("/v1/transfers", json=order, headers=bearer)).raise_for_status().json()
    evidence.secrets["receipt"] = accepted["receipt"]
    evidence.answer("follow", await client.get(accepted["location"], headers=bearer))
    evidence.answer("follow without a token", await client.get(accepted["location"]))
    evidence.answer("another's receipt", await client.get(accepted["location"].replace("receipt=", "receipt=x")))
    for name, sent in {
        "short password": {"email": PERSON, "password": TOO_SHORT},
        "password as e-mail": {"email": PERSON_PASSWORD, "password": TOO_SHORT},
        "password in another field": {**account, "pass": WRONG_PASSWORD},
        "a list of passwords": {"email": PERSON, "password": [WRONG_PASSWORD, {"again": PERSON_PASSWORD}]},
        "password alone": PERSON_PASSWORD,
        "tokens": token,
    }.items():
        evidence.answer(name, await client.post("/v1/users", json=sent))
    broken = json.dumps(account).encode()[:-1]
    json_type = {"Content-Type": "application/json"}
    evidence.answer("broken", await client.post("/v1/users", content=broken, headers=json_type))
    evidence.answer("wrong password", await client.post("/v1/auth/token", data={**form, "password": WRONG_PASSWORD}))
    evidence.answer("log in as JSON", await client.post("/v1/auth/token", json=form))
    evidence.answer("password as name", await client.post("/v1/auth/token", data={**form, "username": WRONG_PASSWORD}))
    evidence.answer("another grant", await client.post("/v1/auth/token", data={**form, "grant_type": WRONG_PASSWORD}))
    evidence.answer("used refresh token", await client.post("/v1/auth/revoke", json={"token": token["refresh_token"]}))
    for value in (f"Basic {PERSON_PASSWORD}", f"Bearer {WRONG_PASSWORD}", f"Bearer {token['refresh_token']}"):
        evidence.answer("authorization", await client.get("/v1/me", headers={"Authorization": value}))
    for prefix in (Prefix.API_KEY, Prefix.RESET_TOKEN):
        text = evidence.secrets[prefix.name] = new_token(prefix).text
        bearer = {"Authorization": f"Bearer {text}"}
        evidence.answer(prefix.name, await client.get("/v1/me", headers=bearer))
        evidence.answer(prefix.name, await client.post("/v1/auth/revoke", data={"token": text}))
        reset = {"reset_token": text, "new_password": PERSON_PASSWORD}
        evidence.answer(prefix.name, await client.post("/v1/password-resets/redeem", json=reset))
    evidence.answer("password in the query", await client.get(f"/v1/me?password={WRONG_PASSWORD}"))
    evidence.answer("request id", await client.get("/v1/me", headers={"X-Request-Id": f"<{WRONG_PASSWORD}>"}))


async def have_a_fault(client: httpx2.AsyncClient, connection: asyncpg.Connection, evidence: Evidence) -> None:
    """A database that is not as the code expects it: an error that nobody foresaw, with the password at hand."""
    await connection.execute("alter table users rename column status to elsewhere")
    form = {"grant_type": "password", "username": PERSON, "password": PERSON_PASSWORD}
    for answer in (
        await client.post("/v1/auth/token", data=form),
        await client.post("/v1/users", json={"email": f"x{PERSON}", "password": PERSON_PASSWORD}),
    ):
        assert answer.status_code == 500
        evidence.answer("fault", answer)


async def told_by(process: asyncio.subprocess.Process, name: str, evidence: Evidence) -> None:
    if process.returncode is None:
        process.terminate()
    stdout, stderr = await asyncio.wait_for(process.communicate(), 60)
    evidence.told[name] = (stdout + stderr).decode()
