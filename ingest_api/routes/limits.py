"""Limits of wallets."""

from uuid import UUID

from fastapi import APIRouter, Request

from ingest_api.caller import AuthenticatedRoute
from ingest_api.examples import answers, takes
from ingest_api.problem_responses import problems
from ingest_api.problems import wallet_not_found
from ingest_api.services import services_of
from schemas.codes import ProblemCode
from schemas.http import Wallet
from schemas.http_draws import NewLimits
from schemas.samples import WALLET

router = APIRouter(tags=["wallets"], route_class=AuthenticatedRoute)

_LIMITS = {"transfer_max": "500.0000", "day_max": "2000.0000"}


@router.put(
    "/v1/wallets/{wallet_id}/limits",
    responses=answers(200, {**WALLET, **_LIMITS})
    | problems(400, 401, 403, ProblemCode.WALLET_NOT_FOUND, 413, 422, 503),
    openapi_extra=takes(_LIMITS),
)
async def set_limits(request: Request, wallet_id: UUID, body: NewLimits) -> Wallet:
    """Bound what leaves a wallet by transfers and holds (admins only): each of them, and their sum over a day.

    It counts from the moment it is set, for what is on its way, too. The day slides: what left at some minute counts
    for 24 hours and up to a minute more. Captures, voids and reversals do not count, and nothing that comes in does.
    """
    services = services_of(request)
    if not await services.wallets.set_limits(str(wallet_id), body.transfer_max, body.day_max):
        raise wallet_not_found()
    return Wallet.model_validate(await services.wallets.find(str(wallet_id)))
