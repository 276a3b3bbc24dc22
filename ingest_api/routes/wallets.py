"""Wallets and their history."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.examples import answers, takes
from ingest_api.list_filters import filters_of
from ingest_api.problem_responses import LOCATION, problems
from ingest_api.problems import ProblemError, forbidden, invalid_request, wallet_not_found
from ingest_api.reading_examples import ENTRIES
from ingest_api.services import Services, services_of
from ingest_api.visibility import sees_all
from schemas.access import Right
from schemas.codes import ProblemCode
from schemas.http import Entry, EntryPage, NewWallet, Wallet, WalletList
from schemas.http_reading import METADATA_PARAMETER, EntryQuery
from schemas.samples import WALLET
from sinks.directory.filters import Filters
from sinks.directory.pages import entry_of
from sinks.directory.wallets import VERSION_MAX
from sinks.errors import NoSuchUserError

router = APIRouter(tags=["wallets"], route_class=AuthenticatedRoute)

Of = Annotated[UUID | None, Query(description="Whose; left out, the caller's.")]


@router.post(
    "/v1/wallets",
    status_code=201,
    responses=answers(201, WALLET, **LOCATION)
    | problems(400, 401, 403, ProblemCode.USER_NOT_FOUND, ProblemCode.WALLET_EXISTS, 413, 422, 503),
    openapi_extra=takes({"currency": "EUR"}),
)
async def open_wallet(request: Request, response: Response, body: NewWallet) -> Wallet:
    """Open a wallet, one for a user and currency. An admin may open it for another user."""
    caller = caller_of(request)
    user_id = body.user_id or caller.user_id
    if user_id != caller.user_id and not caller.may(Right.ADMINISTER):
        raise forbidden("Only an admin may open a wallet for another user.")
    try:
        created = await services_of(request).wallets.create(user_id, body.currency)
    except NoSuchUserError:
        raise ProblemError(404, ProblemCode.USER_NOT_FOUND) from None
    if created is None:
        raise ProblemError(409, ProblemCode.WALLET_EXISTS)
    response.headers["Location"] = f"/v1/wallets/{created.wallet_id}"
    return Wallet.model_validate(created)


@router.get("/v1/wallets", responses=answers(200, {"data": [WALLET]}) | problems(401, 403, 422, 503))
async def list_wallets(request: Request, user_id: Of = None) -> WalletList:
    """The caller's wallets, or another user's for those who may read everything."""
    caller = caller_of(request)
    if user_id is not None and str(user_id) != caller.user_id and not sees_all(caller):
        raise forbidden("Only an analyst or an admin may list the wallets of another user.")
    rows = await services_of(request).wallets.of_user(str(user_id or caller.user_id))
    return WalletList(data=[Wallet.model_validate(row) for row in rows])


@router.get(
    "/v1/wallets/{wallet_id}", responses=answers(200, WALLET) | problems(401, ProblemCode.WALLET_NOT_FOUND, 422, 503)
)
async def read_wallet(request: Request, wallet_id: UUID) -> Wallet:
    """A wallet and its balance."""
    services, caller = services_of(request), caller_of(request)
    found = await services.wallets.find(str(wallet_id))
    if found is None or not (found.user_id == caller.user_id or sees_all(caller)):
        raise wallet_not_found()
    return Wallet.model_validate(found)


@router.get(
    "/v1/wallets/{wallet_id}/entries",
    responses=answers(200, ENTRIES) | problems(401, ProblemCode.WALLET_NOT_FOUND, 422, 503),
    openapi_extra=METADATA_PARAMETER,
)
async def list_entries(request: Request, wallet_id: UUID, query: Annotated[EntryQuery, Query()]) -> EntryPage:
    """A page of a wallet's entries, the newest first."""
    services, caller = services_of(request), caller_of(request)
    await services.owners.require_sight(caller, str(wallet_id))
    if query.starting_after is not None and query.ending_before is not None:
        raise invalid_request(("ending_before", "give either starting_after or ending_before, not both"))
    filters = filters_of(query)
    if filters == Filters() and query.ending_before is None:
        return await _newest_entries(services, str(wallet_id), query)
    newest = await services.wallets.version_of(str(wallet_id))
    first, last = 1, newest
    if query.starting_after is not None:
        last = min(last, query.starting_after - 1)
    if query.ending_before is not None:
        first = query.ending_before + 1
    page = await services.pages.entries(
        str(wallet_id), first, last, filters, newer=query.ending_before is not None, count_max=query.limit
    )
    return EntryPage(
        data=[Entry.model_validate(entry_of(row, str(wallet_id))) for row in page.rows],
        has_more=page.has_more,
        next_cursor=page.below,
        previous_cursor=page.above - 1,
    )


async def _newest_entries(services: Services, wallet_id: str, query: EntryQuery) -> EntryPage:
    """All that there are: a single statement finds them."""
    before = query.starting_after or VERSION_MAX
    rows = await services.wallets.entries(wallet_id, before_version=before, count_max=query.limit + 1)
    shown = rows[: query.limit]
    return EntryPage(
        data=[Entry.model_validate(row) for row in shown],
        has_more=len(rows) > query.limit,
        next_cursor=shown[-1].version if shown else 1,
        previous_cursor=shown[0].version if shown else 0,
    )
