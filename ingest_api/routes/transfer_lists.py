"""Lists of transfers, page by page."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.examples import answers
from ingest_api.list_filters import filters_of
from ingest_api.problem_responses import problems
from ingest_api.problems import invalid_request, wallet_not_found
from ingest_api.reading_examples import TRANSFERS
from ingest_api.services import Services, services_of
from ingest_api.tokens import Caller
from ingest_api.visibility import sees_all, visible_part
from schemas.codes import ProblemCode
from schemas.http import Transfer
from schemas.http_reading import METADATA_PARAMETER, TransferPage, TransferQuery
from sinks.directory.gaps import Gap, decode_gap, encode_gap
from sinks.directory.pages import Turn

router = APIRouter(tags=["transfers"], route_class=AuthenticatedRoute)


@router.get(
    "/v1/transfers",
    responses=answers(200, TRANSFERS) | problems(401, ProblemCode.WALLET_NOT_FOUND, 422, 503),
    openapi_extra=METADATA_PARAMETER,
)
async def list_transfers(request: Request, query: Annotated[TransferQuery, Query()]) -> TransferPage:
    """Transfers that were decided, the newest first: out of the caller's wallets and what is held of them, and, if they
    completed, into them.

    Those who see all get everybody's, unless they name a wallet. Pages never shift: whatever is decided meanwhile is on
    none of them but those before the first.
    """
    services, caller = services_of(request), caller_of(request)
    turn = _turn(query)
    filters = filters_of(query, query.status)
    newest = await _newest(services, caller, query.wallet_id)
    if newest is None:
        page = await services.pages.of_all(filters, turn)
    else:
        page = await services.pages.of_wallets(newest, filters, turn)
    visible = (visible_part(caller, row) for row in page.rows)
    return TransferPage(
        data=[Transfer.model_validate(row) for row in visible if row is not None],
        has_more=page.has_more,
        next_cursor=encode_gap(page.below),
        previous_cursor=encode_gap(page.above),
    )


def _turn(query: TransferQuery) -> Turn:
    if query.starting_after is not None and query.ending_before is not None:
        raise invalid_request(("ending_before", "give either starting_after or ending_before, not both"))
    newer = query.ending_before is not None
    return Turn(_gap(query), newer, query.limit)


def _gap(query: TransferQuery) -> Gap | None:
    for name in ("starting_after", "ending_before"):
        text = getattr(query, name)
        if text is not None:
            try:
                return decode_gap(text)
            except ValueError as error:
                raise invalid_request((name, str(error))) from None
    return None


async def _newest(services: Services, caller: Caller, wallet_id: str | None) -> dict[str, int] | None:
    """The newest versions of the wallets that the list is about; None when it is about all that there are."""
    if wallet_id is not None:
        wallet = await services.wallets.find(wallet_id)
        if wallet is None or not (sees_all(caller) or wallet.user_id == caller.user_id):
            raise wallet_not_found()
        return {wallet_id: wallet.version}
    if sees_all(caller):
        return None
    return await services.wallets.versions_of_user(caller.user_id)
