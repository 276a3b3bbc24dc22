"""How a route writes down the problems it may end in, each with an example, and where its answer points to."""

from http import HTTPStatus
from typing import Any, TypeAlias

from ingest_api.problems import MEDIA_TYPE, ProblemError, problem_document
from schemas.codes import ProblemCode
from schemas.samples import REQUEST_ID

Refusal: TypeAlias = int | ProblemCode | tuple[int, ProblemCode]
"""A status, for its usual codes; a code, for its first status; or both."""

LOCATION: dict[str, Any] = {"headers": {"Location": {"$ref": "#/components/headers/Location"}}}
"""The response of a route that makes something."""

_USUAL = {
    400: (ProblemCode.MALFORMED_BODY,),
    401: (ProblemCode.UNAUTHENTICATED,),
    403: (ProblemCode.FORBIDDEN,),
    404: (),  # what was not found, and
    409: (),  # what is in the way, differ from route to route
    422: (ProblemCode.INVALID_REQUEST,),
    503: (ProblemCode.DATABASE_UNAVAILABLE,),
}
"""What a status usually means; of others, the only code that has it."""


def problems(*refusals: Refusal) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that may end in these."""
    found: dict[int | str, dict[str, Any]] = {}
    for refusal in refusals:
        status, codes = _read(refusal)
        response = found.setdefault(status, _response(status))
        examples: dict[str, Any] = response["content"][MEDIA_TYPE].setdefault("examples", {})
        examples.update({str(code): {"$ref": f"#/components/examples/{_name(status, code)}"} for code in codes})
    return found


def problem_examples() -> dict[str, Any]:
    """The components that examples of problems refer to, by name: each code with each of its statuses."""
    return {
        _name(status, code): {"summary": code.meaning, "value": _document(status, code)}
        for code in sorted(ProblemCode)
        for status in code.statuses
    }


def _read(refusal: Refusal) -> tuple[int, tuple[ProblemCode, ...]]:
    if isinstance(refusal, tuple):
        return refusal[0], (refusal[1],)
    if isinstance(refusal, ProblemCode):
        return refusal.statuses[0], (refusal,)
    usual = _USUAL.get(refusal)
    return refusal, tuple(code for code in ProblemCode if refusal in code.statuses) if usual is None else usual


def _response(status: int) -> dict[str, Any]:
    return {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _name(status: int, code: ProblemCode) -> str:
    return f"{code}-{status}"


def _document(status: int, code: ProblemCode) -> dict[str, Any]:
    errors = [("amount", "amount must be above 0")] if code is ProblemCode.INVALID_REQUEST else []
    document = problem_document({"path": "", "hfts.request_id": REQUEST_ID}, ProblemError(status, code, errors=errors))
    del document["instance"]  # the path of whichever request it is
    return document
