"""Reversals: money that a transfer has brought goes back, in whole or in part."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from ingest_api.acceptance import SUBMISSION_PARAMETERS, SUBMISSION_RESPONSES, answer_submission, idempotency_key
from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.examples import takes
from ingest_api.problem_responses import problems
from ingest_api.problems import ProblemError, forbidden, transfer_not_found
from ingest_api.services import services_of
from ingest_api.submission import Order, transfer_id_of_key
from schemas import samples
from schemas.access import Right
from schemas.codes import ProblemCode
from schemas.http import Receipt
from schemas.http_draws import NewReversal, NewReversalByReference, NewVoid
from schemas.transfers import CAPTURE, REVERSAL
from sinks.directory.holds import DrawableRow

router = APIRouter(tags=["transfers"], route_class=AuthenticatedRoute)


@router.post(
    "/v1/transfers/{transfer_id}/reversals",
    status_code=202,
    response_model=Receipt,
    responses=SUBMISSION_RESPONSES
    | problems(
        *(400, 401, 403, ProblemCode.TRANSFER_NOT_FOUND, 413),
        *(ProblemCode.NOTHING_LEFT, ProblemCode.TRANSFER_NOT_REVERSIBLE),
        *(ProblemCode.TRANSFER_REJECTED, 422, ProblemCode.IDEMPOTENCY_KEY_REUSED, 503, ProblemCode.BROKER_UNAVAILABLE),
    ),
    openapi_extra=takes({"amount": "5.0000"}, **SUBMISSION_PARAMETERS),
)
async def reverse_transfer(request: Request, transfer_id: UUID, body: NewReversal) -> Response:
    """Send back what a wallet of the caller's (an admin: anyone's) has received, never more than is left of it.

    What was captured out of a hold goes to the wallet of which it had been held. 409 `transfer_not_reversible` for a
    transfer that failed, a hold, a void and a reversal, `nothing_left` when all of it has been reversed.
    """
    return await _reverse(request, str(transfer_id), body, body.reference)


@router.post(
    "/v1/reversals",
    status_code=202,
    response_model=Receipt,
    responses=SUBMISSION_RESPONSES
    | problems(
        *(400, 401, 403, ProblemCode.TRANSFER_NOT_FOUND, ProblemCode.WALLET_NOT_FOUND, 413),
        *(ProblemCode.NOTHING_LEFT, ProblemCode.TRANSFER_NOT_REVERSIBLE, ProblemCode.REFERENCE_NOT_UNIQUE),
        *(ProblemCode.TRANSFER_REJECTED, 422, ProblemCode.IDEMPOTENCY_KEY_REUSED, 503, ProblemCode.BROKER_UNAVAILABLE),
    ),
    openapi_extra=takes({"wallet_id": samples.BOBS_WALLET, "reference": "lunch"}, **SUBMISSION_PARAMETERS),
)
async def reverse_by_reference(request: Request, body: NewReversalByReference) -> Response:
    """Likewise for the one transfer that brought money to `wallet_id` with this `reference`; it repeats that.

    409 `reference_not_unique` when there are several.
    """
    services = services_of(request)
    await services.owners.require_access(caller_of(request), body.wallet_id)
    found = await services.holds.by_reference(body.wallet_id, body.reference)
    if not found:
        raise transfer_not_found()
    if len(found) > 1:
        raise ProblemError(409, ProblemCode.REFERENCE_NOT_UNIQUE)
    return await _reverse(request, found[0], body, body.reference)


async def _reverse(request: Request, transfer_id: str, body: NewVoid, reference: str | None) -> Response:
    services, caller, key = services_of(request), caller_of(request), idempotency_key(request)
    original = await services.holds.find(transfer_id)
    may_all = caller.may(Right.MOVE_ALL)
    if original is None or not (may_all or caller.user_id in _who_know(original)):
        raise transfer_not_found()
    if not (may_all or original.destination_user_id == caller.user_id):
        raise forbidden("Only who has received the money may send it back.")
    if original.status != "COMPLETED" or original.kind not in {None, CAPTURE}:
        raise ProblemError(409, ProblemCode.TRANSFER_NOT_REVERSIBLE)
    reversal_id = None if key is None else transfer_id_of_key(caller, key)
    order = Order(
        kind=REVERSAL,
        source_wallet_id=original.destination_wallet_id,
        destination_wallet_id=original.payer_wallet_id,
        amount=body.amount or await services.open_amounts.choose(original, reversal_id),
        currency=original.currency,
        reference=reference,
        metadata=body.metadata,
        parent_id=original.transfer_id,
    )
    return await answer_submission(request, order, reversal_id)


def _who_know(original: DrawableRow) -> tuple[str | None, ...]:
    """The users who may know of it: of a payment that failed, its receiver does not."""
    has_come = original.status == "COMPLETED"
    return (original.source_user_id, original.destination_user_id) if has_come else (original.source_user_id,)
