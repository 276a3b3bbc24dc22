"""Statements of a wallet."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.draining import draining_of
from ingest_api.negotiation import preferred
from ingest_api.problem_responses import problems
from ingest_api.problems import ProblemError, invalid_request, wallet_not_found
from ingest_api.reading_examples import STATEMENT_CSV, STATEMENT_JSON
from ingest_api.services import Services, services_of
from ingest_api.statement_answer import StatementAnswer
from ingest_api.statement_forms import CsvForm, Form, Frame, JsonForm
from ingest_api.visibility import sees_all
from schemas.codes import ProblemCode
from schemas.http_reading import Statement, StatementQuery
from sinks.directory.wallets import WalletRow

router = APIRouter(tags=["wallets"], route_class=AuthenticatedRoute)

_JSON, _CSV = "application/json", "text/csv"
_MICROSECOND = timedelta(microseconds=1)


@router.get(
    "/v1/wallets/{wallet_id}/statement",
    response_class=Response,
    responses={
        200: {
            "description": "The statement.",
            "content": {
                _JSON: {
                    "schema": {"$ref": f"#/components/schemas/{Statement.__name__}"},
                    "examples": {"example": {"value": STATEMENT_JSON}},
                },
                _CSV: {"schema": {"type": "string"}, "examples": {"example": {"value": STATEMENT_CSV}}},
            },
        },
        **problems(401, ProblemCode.WALLET_NOT_FOUND, 406, 422, 503),
    },
)
async def read_statement(request: Request, wallet_id: UUID, query: Annotated[StatementQuery, Query()]) -> Response:
    """A wallet's opening balance, all entries from one moment to before another, and the closing balance.

    It always adds up: entries follow one another without a gap, and one that ends where another begins closes with the
    balance that the other opens with. Where it begins and ends is told as by the balance `at` a moment. However long it
    is, it comes as it is read. One that is broken off is no JSON, and as CSV lacks its last line, `closing`.
    """
    services, caller = services_of(request), caller_of(request)
    form = _form(request, query)
    if query.start is not None and query.end is not None and query.end < query.start:
        raise invalid_request(("to", "must not be before from"))
    wallet = await services.wallets.find(str(wallet_id))
    if wallet is None or not (sees_all(caller) or wallet.user_id == caller.user_id):
        raise wallet_not_found()
    frame = await _frame(services, wallet, query)
    return StatementAnswer(services.wallets, frame, form, caller, draining_of(request))


def _form(request: Request, query: StatementQuery) -> Form:
    asked = {"json": _JSON, "csv": _CSV, None: None}[query.format]
    found = asked or preferred(",".join(request.headers.getlist("accept")), (_JSON, _CSV))
    if found is None:
        raise ProblemError(406, ProblemCode.NOT_ACCEPTABLE)
    return CsvForm() if found == _CSV else JsonForm()


async def _frame(services: Services, wallet: WalletRow, query: StatementQuery) -> Frame:
    end = query.end or datetime.now(UTC)
    first = 0
    if query.start is not None:
        first = await services.history.version_at(wallet.wallet_id, query.start - _MICROSECOND)
    last = wallet.version
    if query.end is not None:
        last = await services.history.version_at(wallet.wallet_id, query.end - _MICROSECOND)
    last = max(first, last)  # entries may have come between the two questions
    opening = "0.0000"
    if first:
        [entry] = await services.wallets.entries(wallet.wallet_id, before_version=first + 1, count_max=1)
        opening = entry.balance
    return Frame(wallet.wallet_id, wallet.currency, query.start, end, opening, first, last)
