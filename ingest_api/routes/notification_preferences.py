"""How the caller wants to be told of transfers."""

from fastapi import APIRouter, Request

from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.examples import answers, takes
from ingest_api.problem_responses import problems
from ingest_api.services import services_of
from schemas import samples
from schemas.http_notifications import NewNotificationPreferences, NotificationPreferences
from schemas.money import format_units, parse_amount
from sinks.directory.notification_preferences import Preferences

router = APIRouter(tags=["notifications"], route_class=AuthenticatedRoute)

_CHOSEN = {"email": True, "webhook": True, "failures": False, "minimums": {"EUR": "100.0000"}}


@router.get(
    "/v1/notification-preferences",
    responses=answers(200, {**_CHOSEN, "updated_at": samples.ASKED_AT}) | problems(401, 503),
)
async def read_preferences(request: Request) -> NotificationPreferences:
    """How the caller is told of transfers; nobody else can see it."""
    services = services_of(request)
    found = await services.notification_preferences.find(caller_of(request).user_id)
    return NotificationPreferences.model_validate(found)


@router.put(
    "/v1/notification-preferences",
    responses=answers(200, {**_CHOSEN, "updated_at": samples.ASKED_AT}) | problems(400, 401, 403, 413, 422, 503),
    openapi_extra=takes(_CHOSEN),
)
async def replace_preferences(request: Request, body: NewNotificationPreferences) -> NotificationPreferences:
    """Replace how the caller is told of transfers. It counts for what is taken up for delivery from then on.

    A failure is told to the sender alone, and is not held back by `minimums`.
    """
    chosen = Preferences(
        email=body.email,
        webhook=body.webhook,
        failures=body.failures,
        minimums={currency: format_units(parse_amount(amount)) for currency, amount in body.minimums.items()},
    )
    found = await services_of(request).notification_preferences.put(caller_of(request).user_id, chosen)
    return NotificationPreferences.model_validate(found)
