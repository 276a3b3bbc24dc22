"""Money coming in."""

from fastapi import APIRouter, Request, Response

from ingest_api.acceptance import SUBMISSION_PARAMETERS, SUBMISSION_RESPONSES, answer_submission, idempotency_key
from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.examples import takes
from ingest_api.problem_responses import problems
from ingest_api.services import services_of
from ingest_api.submission import Order, transfer_id_of_key
from schemas import samples
from schemas.codes import ProblemCode
from schemas.http import NewDeposit, Receipt

router = APIRouter(tags=["transfers"], route_class=AuthenticatedRoute)


@router.post(
    "/v1/deposits",
    status_code=202,
    response_model=Receipt,
    responses=SUBMISSION_RESPONSES
    | problems(
        *(400, 401, 403, ProblemCode.WALLET_NOT_FOUND, ProblemCode.TRANSFER_REJECTED, 413),
        *(422, ProblemCode.IDEMPOTENCY_KEY_REUSED, 503, ProblemCode.BROKER_UNAVAILABLE),
    ),
    openapi_extra=takes(
        {"wallet_id": samples.ADAS_WALLET, "amount": "100.0000", "currency": "EUR"}, **SUBMISSION_PARAMETERS
    ),
)
async def deposit(request: Request, body: NewDeposit) -> Response:
    """Bring money in (admins, and keys with the scope `deposits:write`): a transfer out of the currency's world wallet,
    on the same way as any other.
    """
    services, caller, key = services_of(request), caller_of(request), idempotency_key(request)
    await services.owners.owner_of(body.wallet_id)
    order = Order(
        kind="deposit",
        source_wallet_id=await services.owners.world_of(body.currency),
        destination_wallet_id=body.wallet_id,
        amount=body.amount,
        currency=body.currency,
        reference=body.reference,
        metadata=body.metadata,
    )
    transfer_id = None if key is None else transfer_id_of_key(caller, key)
    return await answer_submission(request, order, transfer_id)
