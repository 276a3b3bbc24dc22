"""What the caller was told of transfers, and on which channels."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.examples import answers
from ingest_api.problem_responses import problems
from ingest_api.problems import invalid_request
from ingest_api.services import services_of
from schemas import samples
from schemas.http_notifications import Delivery, DeliveryPage
from schemas.http_reading import PAGE_MAX, Cursor
from sinks.directory.deliveries import TOP, LogPlace, decode_place, encode_place

router = APIRouter(tags=["notifications"], route_class=AuthenticatedRoute)

_DELIVERY = {
    "transfer_id": samples.TRANSFER,
    "recipient": "receiver",
    "channel": "webhook",
    "status": "pending",
    "attempts": 1,
    "digest_id": None,
    "last_error": "HTTP 503",
    "created_at": samples.DONE_AT,
    "tried_at": samples.DONE_AT,
    "next_try_at": "2030-01-31T12:00:29.310000Z",
}
_PAGE = {
    "data": [_DELIVERY],
    "has_more": True,
    "next_cursor": "lM8ABrx8InCxIsQQAZD1oxERcACAAAAAAAAAAahyZWNlaXZlcqd3ZWJob29r",
}

Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="Deliveries on the page.")]
StartingAfter = Annotated[Cursor | None, Query(description="The `next_cursor` of another page: older ones.")]


@router.get("/v1/deliveries", responses=answers(200, _PAGE) | problems(401, 422, 503))
async def list_deliveries(request: Request, limit: Limit = 25, starting_after: StartingAfter = None) -> DeliveryPage:
    """The caller's own delivery log, the newest first; nobody else can see it.

    What was delivered is taken off it after a while. What failed for good stays.
    """
    services, user_id = services_of(request), caller_of(request).user_id
    rows = await services.deliveries.of_user(user_id, _place(starting_after), limit + 1)
    page, has_more = rows[:limit], len(rows) > limit
    return DeliveryPage(
        data=[Delivery.model_validate(row) for row in page],
        has_more=has_more,
        next_cursor=encode_place(page[-1]) if has_more else None,
    )


def _place(cursor: str | None) -> LogPlace:
    if cursor is None:
        return TOP
    try:
        return decode_place(cursor)
    except ValueError as error:
        raise invalid_request(("starting_after", str(error))) from None
