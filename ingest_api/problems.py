"""Problem documents (RFC 9457): the one form in which this API says no."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from schemas.codes import ProblemCode

MEDIA_TYPE = "application/problem+json"
REQUEST_ID_KEY = "hfts.request_id"
"""Where the envelope keeps the request's id in the ASGI scope."""

RATE_HEADERS_KEY = "hfts.rate_headers"
"""Likewise the headers about what the caller may still send, where that is limited."""

ERRORS_PATH = "/v1/errors"
"""Where each code is explained."""

RETRY_AFTER_S = 1
_RETRIABLE = frozenset({429, 503})
ERRORS_MAX = 20
TEXT_CHARS_MAX = 200

FieldErrors = Sequence[tuple[str, str]]
"""Fields at fault, each with what is wrong."""


class ProblemError(HTTPException):
    """Ends a request with a problem document. ``members`` are extension members of the document."""

    def __init__(
        self,
        status: int,
        code: ProblemCode,
        detail: str | None = None,
        *,
        errors: FieldErrors = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status, detail or code.explanation, headers)
        self.code = code
        self.errors = errors
        self.members = members or {}


def problem_document(scope: Scope, problem: ProblemError, *, errors_max: int = ERRORS_MAX) -> dict[str, Any]:
    """The document, ready for JSON, with so many of the fields at fault."""
    document: dict[str, Any] = {
        "type": f"urn:hfts:problem:{problem.code}",
        "title": problem.code.replace("_", " ").capitalize(),
        "status": problem.status_code,
        "detail": printable(problem.detail),
        "code": str(problem.code),
        "instance": printable(scope["path"]),
        "doc_url": f"{ERRORS_PATH}/{problem.code}",
        "request_id": scope.get(REQUEST_ID_KEY, ""),
        **problem.members,
    }
    if problem.errors:
        document["errors"] = [
            {"field": printable(field), "message": printable(message)} for field, message in problem.errors[:errors_max]
        ]
    return document


def problem_response(scope: Scope, problem: ProblemError) -> Response:
    """The document, with its headers."""
    headers = dict(problem.headers or {})
    if problem.status_code in _RETRIABLE:
        headers.setdefault("Retry-After", str(RETRY_AFTER_S))
    return Response(orjson.dumps(problem_document(scope, problem)), problem.status_code, headers, MEDIA_TYPE)


def printable(text: str) -> str:
    """A client's text, short and fit for UTF-8."""
    return text[:TEXT_CHARS_MAX].encode("utf-8", "replace").decode()


def unauthenticated(detail: str | None = None) -> ProblemError:
    """401: no token, or (with a detail) one that is no good (RFC 6750 section 3)."""
    challenge = 'Bearer error="invalid_token"' if detail else "Bearer"
    return ProblemError(401, ProblemCode.UNAUTHENTICATED, detail, headers={"WWW-Authenticate": challenge})


def forbidden(detail: str, headers: Mapping[str, str] | None = None) -> ProblemError:
    """403."""
    return ProblemError(403, ProblemCode.FORBIDDEN, detail, headers=headers)


def wallet_not_found() -> ProblemError:
    """404, the same for a wallet that does not exist and for one that the caller may not know of."""
    return ProblemError(404, ProblemCode.WALLET_NOT_FOUND)


def hold_not_found() -> ProblemError:
    """404, the same for a hold that does not exist and for one that the caller may not know of."""
    return ProblemError(404, ProblemCode.HOLD_NOT_FOUND)


def transfer_not_found() -> ProblemError:
    """404, the same for a transfer that does not exist and for one that the caller may not know of."""
    return ProblemError(404, ProblemCode.TRANSFER_NOT_FOUND)


def webhook_not_found() -> ProblemError:
    """404 for the caller, who has none."""
    return ProblemError(404, ProblemCode.WEBHOOK_NOT_FOUND)


def invalid_request(*errors: tuple[str, str]) -> ProblemError:
    """422 for these fields."""
    return ProblemError(422, ProblemCode.INVALID_REQUEST, errors=errors)


def invalid_fields(found: Sequence[Mapping[str, Any]]) -> ProblemError:
    """422 for what pydantic found: places behind `body` or the like, and rules; what was sent may be secret."""
    errors = []
    for error in found:
        place = error["loc"]
        field = ".".join(str(part) for part in place[1:]) or str(place[0])
        errors.append((field, str(error["msg"]).removeprefix("Value error, ")))
    return invalid_request(*errors)
