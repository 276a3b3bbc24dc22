"""How many requests to pay out of a wallet still wait."""

from uuid import UUID

from fastapi import APIRouter, Request

from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.examples import answers
from ingest_api.problem_responses import problems
from ingest_api.reading_examples import PENDING
from ingest_api.services import services_of
from schemas.codes import ProblemCode
from schemas.http_reading import PendingRequests

router = APIRouter(tags=["wallets"], route_class=AuthenticatedRoute)


@router.get(
    "/v1/wallets/{wallet_id}/pending",
    responses=answers(200, PENDING)
    | problems(401, ProblemCode.WALLET_NOT_FOUND, 422, 503, (503, ProblemCode.BROKER_UNAVAILABLE)),
)
async def count_pending(request: Request, wallet_id: UUID) -> PendingRequests:
    """Requests to pay out of the wallet that Kafka holds and that have not been applied yet.

    Counted among the requests themselves, wherever they came from: those that were there when this was asked and had
    not been applied when it was answered. Where very many wait, not all are looked at: `is_all` says so.
    """
    services, caller = services_of(request), caller_of(request)
    await services.owners.require_sight(caller, str(wallet_id))
    found = await services.pending.of_key(str(wallet_id).encode())
    return PendingRequests(
        wallet_id=str(wallet_id),
        pending=found.pending,
        is_all=found.is_all,
        partition=found.partition,
        from_offset=found.from_offset,
        to_offset=found.to_offset,
    )
