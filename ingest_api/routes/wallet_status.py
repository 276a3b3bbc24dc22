"""Freezing and closing wallets.

A change holds from its commit on, for every transfer that is decided later, however long ago it was accepted: a worker
that has the wallet in memory is found out by the database when it writes. What was decided before stays.
"""

from uuid import UUID

import structlog
from fastapi import APIRouter, Request

from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.examples import answers
from ingest_api.problem_responses import problems
from ingest_api.problems import ProblemError, wallet_not_found
from ingest_api.services import services_of
from ingest_api.wallet_changes import CLOSE, CLOSE_FROZEN, FREEZE, REOPEN, UNFREEZE, Change, obstacle
from schemas.access import Right
from schemas.codes import ProblemCode
from schemas.http import Wallet
from schemas.samples import WALLET

router = APIRouter(tags=["wallets"], route_class=AuthenticatedRoute)

_log = structlog.get_logger(__name__)

_REFUSALS = problems(401, 403, ProblemCode.WALLET_NOT_FOUND, 422, 503)
_FROZEN, _CLOSED = problems(ProblemCode.WALLET_FROZEN), problems(ProblemCode.WALLET_CLOSED)


@router.post(
    "/v1/wallets/{wallet_id}/freeze", responses=answers(200, {**WALLET, "status": "frozen"}) | _REFUSALS | _CLOSED
)
async def freeze_wallet(request: Request, wallet_id: UUID) -> Wallet:
    """Let nothing move in or out (admins only), until it is unfrozen. May be repeated.

    Transfers decided before are done. Those that are accepted and not yet decided, and all later ones, fail with
    `wallet_frozen`.
    """
    return await _change(request, wallet_id, FREEZE)


@router.post("/v1/wallets/{wallet_id}/unfreeze", responses=answers(200, WALLET) | _REFUSALS | _CLOSED)
async def unfreeze_wallet(request: Request, wallet_id: UUID) -> Wallet:
    """Let a frozen wallet be used again (admins only). Transfers that failed meanwhile stay failed."""
    return await _change(request, wallet_id, UNFREEZE)


@router.post(
    "/v1/wallets/{wallet_id}/close",
    responses=answers(200, {**WALLET, "balance": "0.0000", "status": "closed"})
    | _REFUSALS
    | problems(ProblemCode.WALLET_NOT_EMPTY, ProblemCode.WALLET_FROZEN),
)
async def close_wallet(request: Request, wallet_id: UUID) -> Wallet:
    """Close an empty wallet: its owner an active one, an admin a frozen one, too. May be repeated.

    Transfers that are accepted and not yet decided fail with `wallet_closed`. 409 `wallet_not_empty` while it holds
    anything. Its history stays readable. A user has one wallet in a currency: an admin may reopen it.
    """
    services, caller = services_of(request), caller_of(request)
    await services.owners.require_access(caller, str(wallet_id))
    return await _change(request, wallet_id, CLOSE_FROZEN if caller.may(Right.ADMINISTER) else CLOSE)


@router.post("/v1/wallets/{wallet_id}/reopen", responses=answers(200, WALLET) | _REFUSALS | _FROZEN)
async def reopen_wallet(request: Request, wallet_id: UUID) -> Wallet:
    """Let a closed wallet be used again (admins only)."""
    return await _change(request, wallet_id, REOPEN)


async def _change(request: Request, wallet_id: UUID, change: Change) -> Wallet:
    services, caller = services_of(request), caller_of(request)
    changed = await services.wallets.set_status(str(wallet_id), change.status, change.from_statuses)
    if changed is not None:
        _log.info("wallet.status_changed", wallet_id=str(wallet_id), status=change.status, by=caller.user_id)
        return Wallet.model_validate(changed)
    found = await services.wallets.find(str(wallet_id))
    if found is None:
        raise wallet_not_found()
    code = obstacle(change, found)
    if code is not None:
        raise ProblemError(409, code)
    return Wallet.model_validate(found)
