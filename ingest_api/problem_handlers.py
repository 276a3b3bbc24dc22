"""Every exception that ends a request, as a problem document."""

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from ingest_api.problems import ProblemError, invalid_fields, problem_response
from schemas.codes import ProblemCode
from sinks.errors import BrokerAwayError, TransientError

_log = structlog.get_logger(__name__)

_CODES = {
    400: ProblemCode.MALFORMED_BODY,
    401: ProblemCode.UNAUTHENTICATED,
    403: ProblemCode.FORBIDDEN,
    404: ProblemCode.NOT_FOUND,
    405: ProblemCode.METHOD_NOT_ALLOWED,
    406: ProblemCode.NOT_ACCEPTABLE,
    413: ProblemCode.BODY_TOO_LARGE,
    415: ProblemCode.UNSUPPORTED_MEDIA_TYPE,
}
_JSON = "application/json"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


def install_problem_handlers(app: FastAPI) -> None:
    """Let the app answer with problem documents. Unexpected exceptions are the envelope's task."""
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(TransientError, _on_transient_error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    if isinstance(error, ProblemError):
        return problem_response(request.scope, error)
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for it alone)
    headers = dict(error.headers or {})
    if error.status_code == 405:  # noqa: PLR2004 (Method Not Allowed)
        headers["Allow"] = ", ".join(_allowed_methods(request))
    code = _CODES.get(error.status_code, ProblemCode.INVALID_REQUEST)
    return problem_response(request.scope, ProblemError(error.status_code, code, headers=headers))


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 (registered for it alone)
    taken = _media_type_taken(request)
    if taken is not None and _sends_another_kind(request, taken):
        return problem_response(
            request.scope, ProblemError(415, ProblemCode.UNSUPPORTED_MEDIA_TYPE, headers={"Accept": taken})
        )
    return problem_response(request.scope, invalid_fields(error.errors()))


async def _on_transient_error(request: Request, error: Exception) -> Response:
    code = ProblemCode.BROKER_UNAVAILABLE if isinstance(error, BrokerAwayError) else ProblemCode.DATABASE_UNAVAILABLE
    _log.warning(code, error=str(error), cause=repr(error.__cause__))
    return problem_response(request.scope, ProblemError(503, code))


def _media_type_taken(request: Request) -> str | None:
    """What the route reads its body as."""
    body = getattr(request.scope.get("route"), "body_field", None)
    return None if body is None else getattr(body.field_info, "media_type", _JSON)


def _sends_another_kind(request: Request, taken: str) -> bool:
    """Asked only once the body has been found wanting, so that it costs those nothing who do as they should."""
    headers = request.headers
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    sent = headers.get("content-type", "").partition(";")[0].strip().lower()
    if taken == _JSON:
        return has_body and sent != _JSON and not (sent.startswith("application/") and sent.endswith("+json"))
    return has_body and sent not in _FORMS


def _allowed_methods(request: Request) -> list[str]:
    """All methods of the path; the router names only those of the first route."""
    allowed = []
    for method in _METHODS:
        scope = {**request.scope, "method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes):
            allowed.append(method)
    return allowed
