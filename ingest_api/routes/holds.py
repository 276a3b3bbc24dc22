"""Holds: money set aside, paid out in whole or in part, or given back."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from ingest_api.acceptance import SUBMISSION_PARAMETERS, SUBMISSION_RESPONSES, answer_submission, idempotency_key
from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.examples import answers, takes
from ingest_api.problem_responses import problems
from ingest_api.problems import hold_not_found, invalid_request
from ingest_api.services import Services, services_of
from ingest_api.submission import Order, transfer_id_of_key
from ingest_api.tokens import Caller
from ingest_api.visibility import sees_all
from schemas import draw_samples
from schemas.access import Right
from schemas.codes import ProblemCode
from schemas.holds import hold_wallet_id
from schemas.http import Receipt
from schemas.http_draws import Draw, Hold, HoldPage, HoldWithDraws, NewCapture, NewHold, NewVoid, moment_of
from schemas.transfers import CAPTURE, HOLD, VOID
from sinks.directory.holds import DrawableRow
from sinks.directory.pages import EXAMINED_MAX
from sinks.directory.wallets import VERSION_MAX

DRAWS_MAX = 100

router = APIRouter(tags=["holds"], route_class=AuthenticatedRoute)

Limit = Annotated[int, Query(ge=1, le=100, description="Holds on the page.")]
StartingAfter = Annotated[int, Query(ge=1, le=VERSION_MAX, description="The `next_cursor` of the page before.")]
OnlyOpen = Annotated[bool, Query(alias="open", description="Only those of which something is left.")]


@router.post(
    "/v1/holds",
    status_code=202,
    response_model=Receipt,
    responses=SUBMISSION_RESPONSES
    | problems(
        *(400, 401, 403, ProblemCode.WALLET_NOT_FOUND, 413),
        *(ProblemCode.TRANSFER_REJECTED, 422, ProblemCode.IDEMPOTENCY_KEY_REUSED, 503, ProblemCode.BROKER_UNAVAILABLE),
    ),
    openapi_extra=takes(draw_samples.NEW_HOLD, **SUBMISSION_PARAMETERS),
)
async def hold_money(request: Request, body: NewHold) -> Response:
    """Set money of a wallet of the caller's aside (an admin: of anyone's): it is no longer available, and not paid yet.

    202 as for a transfer, whose id is the hold's. Capture or void it once its outcome is COMPLETED.
    """
    services, caller, key = services_of(request), caller_of(request), idempotency_key(request)
    if key is not None and body.transfer_id is not None:
        raise invalid_request(("transfer_id", "give either a transfer_id or an Idempotency-Key, not both"))
    await services.owners.require_access(caller, body.source_wallet_id)
    order = Order(
        kind=HOLD,
        source_wallet_id=body.source_wallet_id,
        destination_wallet_id=hold_wallet_id(body.source_wallet_id),
        amount=body.amount,
        currency=body.currency,
        reference=body.reference,
        metadata=body.metadata,
        expires_at=None if body.expires_at is None else moment_of(body.expires_at),
    )
    transfer_id = body.transfer_id if key is None else transfer_id_of_key(caller, key)
    return await answer_submission(request, order, transfer_id)


@router.get(
    "/v1/holds",
    responses=answers(200, {"data": [draw_samples.HOLD], "has_more": False, "next_cursor": 1})
    | problems(401, 403, ProblemCode.WALLET_NOT_FOUND, 422, 503),
)
async def list_holds(
    request: Request,
    wallet_id: UUID,
    limit: Limit = 25,
    starting_after: StartingAfter = VERSION_MAX,
    only_open: OnlyOpen = False,  # noqa: FBT002 (a query parameter)
) -> HoldPage:
    """A page of a wallet's holds that were completed, the newest first."""
    services = services_of(request)
    await services.owners.require_sight(caller_of(request), str(wallet_id))
    hold_wallet = hold_wallet_id(str(wallet_id))
    before = min(starting_after, 1 + await services.wallets.version_of(hold_wallet))
    first = max(1, before - EXAMINED_MAX)
    rows = await services.holds.of_wallet(
        hold_wallet, first_version=first, before_version=before, count_max=limit + 1, only_open=only_open
    )
    is_full = len(rows) > limit
    last = rows[limit - 1].destination_version if is_full else None
    return HoldPage(
        data=[Hold(**_shown(row)) for row in rows[:limit]],
        has_more=is_full or first > 1,
        next_cursor=last or first,
    )


@router.get(
    "/v1/holds/{hold_id}",
    responses=answers(200, {**draw_samples.HOLD, "draws": [draw_samples.DRAW]})
    | problems(401, 403, ProblemCode.HOLD_NOT_FOUND, 422, 503),
)
async def read_hold(request: Request, hold_id: UUID) -> HoldWithDraws:
    """A hold, what is left of it, and what has drawn on it; 404 until it has an outcome."""
    services = services_of(request)
    caller = caller_of(request)
    row = await _hold(services, caller, hold_id, may_all=sees_all(caller))
    draws = await services.holds.draws(row.transfer_id, DRAWS_MAX)
    return HoldWithDraws(**_shown(row), draws=[Draw.model_validate(draw) for draw in draws])


@router.post(
    "/v1/holds/{hold_id}/capture",
    status_code=202,
    response_model=Receipt,
    responses=SUBMISSION_RESPONSES
    | problems(
        *(400, 401, 403, ProblemCode.HOLD_NOT_FOUND, ProblemCode.NOTHING_LEFT, 413),
        *(ProblemCode.TRANSFER_REJECTED, 422, ProblemCode.IDEMPOTENCY_KEY_REUSED, 503, ProblemCode.BROKER_UNAVAILABLE),
    ),
    openapi_extra=takes(draw_samples.CAPTURE, **SUBMISSION_PARAMETERS),
)
async def capture_hold(request: Request, hold_id: UUID, body: NewCapture) -> Response:
    """Pay out of a hold, in whole or in part, as often as something is left. 409 `nothing_left` when nothing is."""
    return await _draw(request, hold_id, CAPTURE, body, body.destination_wallet_id)


@router.post(
    "/v1/holds/{hold_id}/void",
    status_code=202,
    response_model=Receipt,
    responses=SUBMISSION_RESPONSES
    | problems(
        *(400, 401, 403, ProblemCode.HOLD_NOT_FOUND, ProblemCode.NOTHING_LEFT, 413),
        *(ProblemCode.TRANSFER_REJECTED, 422, ProblemCode.IDEMPOTENCY_KEY_REUSED, 503, ProblemCode.BROKER_UNAVAILABLE),
    ),
    openapi_extra=takes({}, **SUBMISSION_PARAMETERS),
)
async def void_hold(request: Request, hold_id: UUID, body: NewVoid) -> Response:
    """Make what is held available again, in whole or in part. 409 `nothing_left` when nothing is left."""
    return await _draw(request, hold_id, VOID, body, None)


async def _draw(request: Request, hold_id: UUID, kind: str, body: NewVoid, payee: str | None) -> Response:
    services, caller, key = services_of(request), caller_of(request), idempotency_key(request)
    hold = await _hold(services, caller, hold_id, may_all=caller.may(Right.MOVE_ALL))
    if hold.status != "COMPLETED":
        raise hold_not_found()
    transfer_id = None if key is None else transfer_id_of_key(caller, key)
    order = Order(
        kind=kind,
        source_wallet_id=hold.destination_wallet_id,
        destination_wallet_id=payee or hold.source_wallet_id,
        amount=body.amount or await services.open_amounts.choose(hold, transfer_id),
        currency=hold.currency,
        reference=body.reference,
        metadata=body.metadata,
        parent_id=hold.transfer_id,
    )
    return await answer_submission(request, order, transfer_id)


async def _hold(services: Services, caller: Caller, hold_id: UUID, *, may_all: bool) -> DrawableRow:
    row = await services.holds.find(str(hold_id))
    if row is None or row.kind != HOLD or not (may_all or row.source_user_id == caller.user_id):
        raise hold_not_found()
    return row


def _shown(row: DrawableRow) -> dict[str, object]:
    return {
        "hold_id": row.transfer_id,
        "status": _status(row),
        "reason": row.reason,
        "source_wallet_id": row.source_wallet_id,
        "hold_wallet_id": row.destination_wallet_id,
        "amount": row.amount,
        "captured": row.captured,
        "voided": row.voided,
        "remaining": row.remaining if row.reason is None else "0.0000",
        "currency": row.currency,
        "reference": row.reference,
        "metadata": row.metadata,
        "expires_at": row.expires_at,
        "requested_at": row.requested_at,
        "completed_at": row.completed_at,
        "version": row.destination_version,
    }


def _status(row: DrawableRow) -> str:
    if row.reason is not None:
        return "failed"
    if row.remaining != "0.0000":
        return "expired" if row.is_expired else "open"
    return "voided" if row.captured == "0.0000" else "captured"
