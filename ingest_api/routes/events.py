"""Outcomes as they come."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.draining import draining_of
from ingest_api.event_ids import ID_CHARS_MAX
from ingest_api.event_stream import MEDIA_TYPE, EventStream
from ingest_api.problem_responses import problems
from ingest_api.problems import forbidden, invalid_request
from ingest_api.services import services_of
from ingest_api.transfer_events import transfer_events
from ingest_api.visibility import sees_all
from schemas.codes import ProblemCode

router = APIRouter(tags=["transfers"], route_class=AuthenticatedRoute)

LAST_EVENT_ID = "Last-Event-ID"

_EXAMPLE = (
    "retry: 2000\nid: AQQBAA\n\n"
    "id: AQUBAA\nevent: transfer.completed\n"
    'data: {"transfer_id":"0190f5a3-1111-7000-8000-000000000001","status":"COMPLETED","reason":null}\n\n'
)

After = Annotated[
    str | None, Query(max_length=ID_CHARS_MAX, description="The `id` of an event: what comes behind it is sent.")
]
All = Annotated[bool, Query(alias="all", description="Outcomes of all wallets (admins and analysts).")]


@router.get(
    "/v1/transfers/events",
    response_class=Response,
    responses={
        200: {
            "description": "Server-sent events, until the access of the caller ends.",
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "examples": {"one": {"value": _EXAMPLE}}}},
        },
        **problems(401, 403, 422, 429, 503, ProblemCode.BROKER_UNAVAILABLE),
    },
    openapi_extra={
        "parameters": [
            {
                "name": LAST_EVENT_ID,
                "in": "header",
                "required": False,
                "schema": {"type": "string", "maxLength": ID_CHARS_MAX},
                "description": "As `after`, sent by an EventSource that comes again; it counts for more.",
            }
        ]
    },
)
async def stream_events(request: Request, after: After = None, all_: All = False) -> Response:  # noqa: FBT002
    """The outcomes of the caller's wallets, as payer or payee, as soon as they are published.

    Events are `transfer.completed` and `transfer.failed`; their data is what `GET /v1/transfers/{transfer_id}` shows
    the caller. Each `id` says how far all outcomes have been told. Sent back as `Last-Event-ID` or `after`, to any API
    process, it brings all that came since, once; without it, outcomes are sent from now on. An `id` without data keeps
    the connection and renews the id. A client that reads too slowly is cut off, and may come again with its last id.
    """
    services, caller = services_of(request), caller_of(request)
    if all_ and not sees_all(caller):
        raise forbidden("Only an admin or an analyst may see the outcomes of all wallets.")
    shown = request.headers.getlist(LAST_EVENT_ID)
    if len(shown) > 1:
        raise invalid_request((LAST_EVENT_ID, "must be sent once"))
    last = (shown[0] if shown else None) or after or None
    opened = transfer_events(services.outcomes, caller, last, sees_all=all_)
    leaving, is_over = draining_of(request).leaving, services.access.is_over
    return EventStream(opened, caller, leaving=leaving, is_over=is_over)
