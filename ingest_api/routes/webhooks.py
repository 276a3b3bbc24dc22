"""The caller's webhook."""

import base64
import secrets

import structlog
from fastapi import APIRouter, Request, Response

from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.examples import answers, takes
from ingest_api.problem_responses import problems
from ingest_api.problems import invalid_request, webhook_not_found
from ingest_api.services import services_of
from schemas import samples
from schemas.codes import ProblemCode
from schemas.http_notifications import NewWebhook, Webhook, WebhookWithSecret
from sinks.directory.webhooks import WebhookRow
from sinks.webhook_address import WebhookUrlError, check_url

SECRET_BYTES = 32

router = APIRouter(tags=["notifications"], route_class=AuthenticatedRoute)

_URL = {"url": "https://example.com/hooks/transfers"}
_TIMES = {"previous_secret_until": None, "created_at": samples.ASKED_AT, "updated_at": samples.ASKED_AT}
_ROTATED = {**_URL, **_TIMES, "previous_secret_until": "2030-02-01T12:00:00.000000Z"}

_log = structlog.get_logger(__name__)


@router.get(
    "/v1/webhook", responses=answers(200, {**_URL, **_TIMES}) | problems(401, ProblemCode.WEBHOOK_NOT_FOUND, 503)
)
async def read_webhook(request: Request) -> Webhook:
    """The caller's webhook, without its secret; nobody else can see it."""
    found = await services_of(request).webhooks.find(caller_of(request).user_id)
    if found is None:
        raise webhook_not_found()
    return Webhook.model_validate(found)


@router.put(
    "/v1/webhook",
    responses=answers(200, {**_URL, **_TIMES, "secret": samples.WEBHOOK_SECRET})
    | problems(400, 401, 403, 413, 422, 503),
    openapi_extra=takes(_URL),
)
async def put_webhook(request: Request, response: Response, body: NewWebhook) -> WebhookWithSecret:
    """Have notifications sent to a URL of the caller's. An account has one webhook.

    A new one is answered with its secret, which is never shown again. One that is there moves to the URL, keeps its
    secret and is answered without it. 422 for a URL that is not https or not of the public Internet.
    """
    response.headers["Cache-Control"] = "no-store"
    services, user_id = services_of(request), caller_of(request).user_id
    try:
        check_url(body.url, private_ok=services.webhook_private_addresses)
    except WebhookUrlError as error:
        raise invalid_request(("url", str(error))) from None
    secret = secrets.token_bytes(SECRET_BYTES)
    row, is_new = await services.webhooks.put(user_id, body.url, secret)
    _log.info("webhook.made" if is_new else "webhook.moved", user_id=user_id)
    return _with_secret(row, secret if is_new else None)


@router.delete(
    "/v1/webhook",
    status_code=204,
    response_class=Response,
    responses=problems(401, 403, 503),
)
async def delete_webhook(request: Request) -> None:
    """Forget the caller's webhook and its secrets, if there is one."""
    user_id = caller_of(request).user_id
    if await services_of(request).webhooks.delete(user_id):
        _log.info("webhook.deleted", user_id=user_id)


@router.post(
    "/v1/webhook/secret",
    responses=answers(200, {**_ROTATED, "secret": samples.WEBHOOK_SECRET})
    | problems(401, 403, ProblemCode.WEBHOOK_NOT_FOUND, 503),
)
async def rotate_secret(request: Request, response: Response) -> WebhookWithSecret:
    """Another secret for the caller's webhook, shown in this answer and never again.

    For 24 hours what is sent is signed with the one before, too. Rotate twice to end a secret at once.
    """
    response.headers["Cache-Control"] = "no-store"
    user_id, secret = caller_of(request).user_id, secrets.token_bytes(SECRET_BYTES)
    row = await services_of(request).webhooks.rotate(user_id, secret)
    if row is None:
        raise webhook_not_found()
    _log.info("webhook.rotated", user_id=user_id)
    return _with_secret(row, secret)


def _with_secret(row: WebhookRow, secret: bytes | None) -> WebhookWithSecret:
    """The secret as Standard Webhooks writes it: the prefix and base64."""
    text = None if secret is None else f"whsec_{base64.b64encode(secret).decode()}"
    return WebhookWithSecret(**Webhook.model_validate(row).model_dump(), secret=text)
