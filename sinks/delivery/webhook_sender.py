"""Calls webhooks, as Standard Webhooks has it: https://www.standardwebhooks.com."""

import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from uuid import UUID

import aiohttp
import asyncpg
from aiohttp.abc import AbstractResolver, ResolveResult
from standardwebhooks import Webhook as Signer

from schemas.notifications import decode_notification
from schemas.settings import Settings
from schemas.webhook_events import webhook_event
from sinks.channels import SEAL_PURPOSE, Webhook, channels_of
from sinks.delivery.queue import Message
from sinks.delivery.tries import ACCEPTED, Verdict, failed, refused
from sinks.postgres.retry import until_done
from sinks.sealing import Seal
from sinks.webhook_address import WebhookUrlError, check_url, is_public

CALL_S_MAX = 30.0
"""Shorter than a try may be: who answers slowly shall not hold a place that others wait for."""
CONNECT_S_MAX = 10.0

_TIMEOUT, _TOO_MANY, _SERVER_ERRORS_FROM = 408, 429, 500


class PublicResolver(AbstractResolver):
    """Looks names up, and refuses one that has any address which is not public. What it gives is connected to."""

    def __init__(self, inner: AbstractResolver) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name. Raises OSError."""
        found = await self._inner.resolve(host, port, family)
        if not all(is_public(each["host"]) for each in found):
            raise OSError("an address that is not public")
        return found

    async def close(self) -> None:
        """Let the inner one go."""
        await self._inner.close()


class WebhookSender:
    """Signs and sends. Redirects are not followed, and of the answer its status alone counts: no body is read."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._seal = Seal.of(settings, SEAL_PURPOSE)
        self._private_ok = settings.webhook_private_addresses
        resolver: AbstractResolver = aiohttp.ThreadedResolver()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=resolver if self._private_ok else PublicResolver(resolver)),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=CALL_S_MAX, sock_connect=CONNECT_S_MAX),
            auto_decompress=False,
        )

    async def send(self, message: Message) -> Verdict:
        """Call the webhook that the user has by now. Refused for good: 3xx, and 4xx but 408 and 429."""
        webhook = await self._webhook_of(str(message.user_id))
        if webhook is None:
            return refused("there is no webhook any more")
        try:
            check_url(webhook.url, private_ok=self._private_ok)
        except WebhookUrlError as error:
            return refused(f"the URL {error}")
        [delivery] = message.deliveries
        body = webhook_event(decode_notification(delivery.notification))
        headers = headers_of(webhook, message.message_id, datetime.now(UTC), body)
        try:
            async with self._session.post(webhook.url, data=body, headers=headers, allow_redirects=False) as answer:
                return _of_status(answer.status, answer.headers.get("Retry-After"))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return failed(_describe(error))

    async def close(self) -> None:
        """Let go of all connections."""
        await self._session.close()

    async def _webhook_of(self, user_id: str) -> Webhook | None:
        async for attempt in until_done():
            with attempt:
                channels = await channels_of(self._pool, [user_id], self._seal)
        return channels[user_id].webhook


def headers_of(webhook: Webhook, message_id: UUID, now: datetime, body: bytes) -> Mapping[str, str]:
    """With a signature by each secret that is good now, the newest first."""
    text = body.decode()
    return {
        "content-type": "application/json",
        "user-agent": "hfts",
        "webhook-id": str(message_id),
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(
            Signer(secret).sign(msg_id=str(message_id), timestamp=now, data=text) for secret in webhook.secrets
        ),
    }


def _of_status(status: int, retry_after: str | None) -> Verdict:
    if 200 <= status < 300:  # noqa: PLR2004 (RFC 9110 section 15.3)
        return ACCEPTED
    why = f"HTTP {status}"
    if status >= _SERVER_ERRORS_FROM or status in {_TIMEOUT, _TOO_MANY}:
        return failed(why, pause_asked_s(retry_after, datetime.now(UTC)))
    return refused(why)


def pause_asked_s(retry_after: str | None, now: datetime) -> float:
    """The seconds that ``Retry-After`` asks for, as a number or a date (RFC 9110 section 10.2.3); 0 without one."""
    if retry_after is None:
        return 0.0
    if retry_after.isascii() and retry_after.isdecimal():
        return float(retry_after[:9])
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - now).total_seconds())
    except (ValueError, TypeError):
        return 0.0


def _describe(error: Exception) -> str:
    """Without the URL, which may hold a secret of its owner's."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name cannot be looked up, or has an address that is not public"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "no connection to it"
    return type(error).__name__
