"""What a wallet holds, and what it held at any moment."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.examples import answers
from ingest_api.problem_responses import problems
from ingest_api.problems import ProblemError, invalid_request, wallet_not_found
from ingest_api.reading_examples import BALANCE
from ingest_api.services import services_of
from ingest_api.visibility import sees_all
from schemas.codes import ProblemCode
from schemas.http_reading import Balance, BalanceQuery

router = APIRouter(tags=["wallets"], route_class=AuthenticatedRoute)


@router.get(
    "/v1/wallets/{wallet_id}/balance",
    responses=answers(200, BALANCE)
    | problems(401, ProblemCode.WALLET_NOT_FOUND, ProblemCode.VERSION_NOT_FOUND, 422, 503),
)
async def read_balance(request: Request, wallet_id: UUID, query: Annotated[BalanceQuery, Query()]) -> Balance:
    """The balance now, at a moment in the past, or after so many entries: exactly what it was then.

    Entries are stamped by the clocks of the workers that decided them. The balance `at` a moment is one that the wallet
    really had: the last entry that led to it is stamped then or before, and the one after it later. Where clocks of
    workers differ, stamps can run backwards by as much, and more than one balance fits a moment within; then it is
    always the same one, and never an older one for a later moment. Within seconds of the moment entries may still be
    added to it. A `version` names a balance beyond doubt. 404 `version_not_found`: the wallet has not come that far.
    """
    services, caller = services_of(request), caller_of(request)
    if query.at is not None and query.version is not None:
        raise invalid_request(("version", "give either a moment or a version, not both"))
    wallet = await services.wallets.find(str(wallet_id))
    if wallet is None or not (sees_all(caller) or wallet.user_id == caller.user_id):
        raise wallet_not_found()
    found = Balance(
        wallet_id=wallet.wallet_id,
        currency=wallet.currency,
        balance=wallet.balance,
        version=wallet.version,
        at=query.at,
        completed_at=None,
    )
    version = query.version
    if query.at is not None:
        version = await services.history.version_at(wallet.wallet_id, query.at)
    if version is None:
        return found
    if version == 0:
        return found.model_copy(update={"balance": "0.0000", "version": 0})
    entries = await services.wallets.entries(wallet.wallet_id, before_version=version + 1, count_max=1)
    if not entries or entries[0].version != version:
        raise ProblemError(404, ProblemCode.VERSION_NOT_FOUND)
    [entry] = entries
    return found.model_copy(update={"balance": entry.balance, "version": version, "completed_at": entry.completed_at})
