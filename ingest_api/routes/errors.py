"""The closed list of codes, for programs and for whoever follows a problem's `doc_url`."""

from itertools import groupby

from fastapi import APIRouter, Response

from ingest_api.examples import answers
from ingest_api.problem_responses import problems
from ingest_api.problems import ERRORS_PATH, ProblemError
from schemas.codes import FailureReason, ProblemCode
from schemas.error_list import Occurrence, occurrences, occurrences_of
from schemas.http_errors import ErrorCode, ErrorList, ErrorOccurrence

router = APIRouter(tags=["errors"])

_UNCHANGED_S = 3600
_CACHED = f"public, max-age={_UNCHANGED_S}"


def _error_code(code: str, found: list[Occurrence]) -> ErrorCode:
    return ErrorCode(
        code=code,
        occurrences=[
            ErrorOccurrence(
                where=each.where,
                statuses=list(each.code.statuses),
                meaning=each.code.meaning,
                next_step=each.code.next_step,
            )
            for each in found
        ],
    )


_LIST = ErrorList(
    data=[_error_code(code, list(found)) for code, found in groupby(occurrences(), lambda each: str(each.code))]
)
_EXAMPLE = _error_code(FailureReason.WALLET_NOT_FOUND, occurrences_of(FailureReason.WALLET_NOT_FOUND)).model_dump()


@router.get(ERRORS_PATH, responses=answers(200, {"data": [_EXAMPLE]}))
async def list_errors(response: Response) -> ErrorList:
    """Every code, wherever it is met: what it means and what to do next."""
    response.headers["Cache-Control"] = _CACHED
    return _LIST


@router.get(f"{ERRORS_PATH}/{{code}}", responses=answers(200, _EXAMPLE) | problems(ProblemCode.NOT_FOUND, 422))
async def read_error(response: Response, code: str) -> ErrorCode:
    """A code: what it means and what to do next. The `doc_url` of a problem leads here."""
    found = occurrences_of(code)
    if not found:
        raise ProblemError(404, ProblemCode.NOT_FOUND, "There is no such code.")
    response.headers["Cache-Control"] = _CACHED
    return _error_code(code, found)
