"""Calling webhooks over HTTP: what they are sent, and what their answers mean."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import orjson
import pytest
from deliveries import a_notification
from standardwebhooks import Webhook as Verifier
from webhook_site import WebhookSite, webhook_site

from schemas.notifications import Notification, encode_notification
from schemas.settings import Settings
from sinks.channels import SEAL_PURPOSE
from sinks.delivery.queue import Message
from sinks.delivery.shares import Delivery
from sinks.delivery.tries import Verdict
from sinks.delivery.webhook_sender import WebhookSender
from sinks.sealing import Seal

OLD, NEW = b"the old secret of thirty bytes", b"the new secret of thirty bytes"


@pytest.fixture
async def site() -> AsyncIterator[WebhookSite]:
    async with webhook_site() as site:
        yield site


@pytest.fixture
async def notification(database_settings: Settings, connection: asyncpg.Connection, site: WebhookSite) -> Notification:
    """To somebody whose webhook is at the site."""
    user = await connection.fetchval(
        "insert into users (email, password_hash) values ('anna@example.com', 'x') returning user_id::text"
    )
    seal = Seal.of(database_settings, SEAL_PURPOSE)
    await connection.execute(
        "insert into webhooks (user_id, url, secret_sealed, previous_secret_sealed, previous_until)"
        " values ($1::uuid, $2, $3, $4, now() + interval '1 hour')",
        user,
        f"http://127.0.0.1:{site.port}/hook",
        seal.close(NEW, user),
        seal.close(OLD, user),
    )
    return a_notification(user_id=user)


@pytest.fixture
async def sender(database_settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[WebhookSender]:
    sender = WebhookSender(database_settings.model_copy(update={"webhook_private_addresses": True}), pool)
    yield sender
    await sender.close()


def message_of(notification: Notification) -> Message:
    value = encode_notification(notification)
    delivery = Delivery(UUID(notification.transfer_id), "sender", UUID(notification.user_id), 0, value)
    return Message("webhook", (delivery,), 1, datetime.now(UTC))


async def test_a_call_is_signed_with_both_secrets_and_holds_no_address(
    sender: WebhookSender, site: WebhookSite, notification: Notification
) -> None:
    message = message_of(notification)
    assert (await sender.send(message)).how == "accepted"
    [(headers, body)] = site.calls
    for secret in (OLD, NEW):
        event = Verifier(secret).verify(body, headers)
    assert headers["webhook-id"] == str(message.message_id)
    assert (event["type"], event["data"]["transfer_id"]) == ("transfer.completed", notification.transfer_id)
    assert event["data"]["amount"] == "1.0000"
    assert b"@" not in body
    assert orjson.loads(body) == event


ANSWERS: tuple[tuple[int, dict[str, str], Verdict], ...] = (
    (204, {}, Verdict("accepted")),
    (302, {"Location": "/elsewhere"}, Verdict("refused", "HTTP 302")),
    (404, {}, Verdict("refused", "HTTP 404")),
    (410, {}, Verdict("refused", "HTTP 410")),
    (408, {}, Verdict("failed", "HTTP 408")),
    (429, {"Retry-After": "90"}, Verdict("failed", "HTTP 429", 90.0)),
    (503, {"Retry-After": "soon"}, Verdict("failed", "HTTP 503")),
)


async def test_an_answer_is_for_good_or_for_now(
    sender: WebhookSender, site: WebhookSite, notification: Notification
) -> None:
    for status, headers, verdict in ANSWERS:
        site.answer, site.headers = status, headers
        assert await sender.send(message_of(notification)) == verdict
    assert len(site.calls) == len(ANSWERS), "no redirect is followed"


async def test_nobody_makes_us_call_our_own_servers(
    database_settings: Settings,
    pool: asyncpg.Pool,
    site: WebhookSite,
    notification: Notification,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def resolve(_self: object, host: str, port: int = 0, family: int = 0) -> list[dict[str, object]]:
        base = {"hostname": host, "port": port, "family": family, "proto": 0, "flags": 0}
        return [{**base, "host": "93.184.215.14"}, {**base, "host": "127.0.0.1"}]

    monkeypatch.setattr("aiohttp.ThreadedResolver.resolve", resolve)
    sender = WebhookSender(database_settings, pool)
    for scheme, host, how in (
        ("http", "127.0.0.1", "refused"),
        ("https", "127.0.0.1", "refused"),
        ("https", "localhost", "refused"),
        ("https", "hook.example.test", "failed"),
    ):
        await pool.execute("update webhooks set url = $1", f"{scheme}://{host}:{site.port}/")
        assert (await sender.send(message_of(notification))).how == how
    await sender.close()
    assert site.calls == []


async def test_a_webhook_that_is_gone_or_away(
    sender: WebhookSender, pool: asyncpg.Pool, notification: Notification
) -> None:
    await pool.execute("update webhooks set url = 'http://127.0.0.1:9/'")
    away = await sender.send(message_of(notification))
    assert (away.how, away.why) == ("failed", "no connection to it")
    await pool.execute("delete from webhooks")
    assert (await sender.send(message_of(notification))).how == "refused"
