"""What surrounds every request: its id, the bound on those in progress, the limit of its body, its metric, and the
answer to a fault of ours.

One plain ASGI callable: Starlette's BaseHTTPMiddleware would start a task for each request.
"""

import re

import structlog
from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils import uuid7

from ingest_api.body_limits import body_bytes_max
from ingest_api.in_progress import IN_PROGRESS_KEY, InProgress
from ingest_api.metrics import REQUESTS
from ingest_api.problems import REQUEST_ID_KEY, ProblemError, problem_response
from schemas.codes import ProblemCode

_SANE_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
UNBOUNDED_PATHS = frozenset({"/healthz", "/metrics"})
"""Whoever watches the process must be answered most of all when it has too much to do."""

_log = structlog.get_logger(__name__)


class Envelope:
    """Wraps the whole app but Starlette's own outermost error page."""

    def __init__(self, app: ASGIApp, in_progress: InProgress) -> None:
        self._app = app
        self._in_progress = in_progress
        self._counters: dict[tuple[str, int], Counter] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope[REQUEST_ID_KEY] = request_id
        scope[IN_PROGRESS_KEY] = self._in_progress
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        limited = receive if scope["method"] in _WITHOUT_BODY else _limited(scope, receive)
        try:
            await self._serve(scope, limited, send_marked)
        except Exception:  # the outermost layer: whatever it is, the client gets a problem without inner details
            _log.exception("http.fault", request_id=request_id, method=scope["method"], path=scope["path"])
            if status:  # the answer has begun: only breaking it off tells the client
                raise
            response = problem_response(scope, ProblemError(500, ProblemCode.INTERNAL_ERROR))
            await response(scope, receive, send_marked)
        finally:
            self._count(scope, status)
            _log.debug("http.request", request_id=request_id, method=scope["method"], path=scope["path"], status=status)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in UNBOUNDED_PATHS:
            await self._app(scope, receive, send)
            return
        try:
            self._in_progress.enter()
        except ProblemError as problem:
            await problem_response(scope, problem)(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_progress.leave()

    def _count(self, scope: Scope, status: int) -> None:
        route = getattr(scope.get("route"), "path_format", "unmatched")
        counter = self._counters.get((route, status))
        if counter is None:  # routes and statuses are few
            counter = self._counters[route, status] = REQUESTS.labels(route, status)
        counter.inc()


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name in (b"x-request-id", b"request-id") and _SANE_ID.fullmatch(value):
            return str(value, "ascii")
    return uuid7().hex


def _limited(scope: Scope, receive: Receive) -> Receive:
    size, size_max = 0, body_bytes_max(scope["path"])
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    is_declared_larger = not declared.isdigit() or int(declared) > size_max

    async def receive_limited() -> Message:
        nonlocal size
        if is_declared_larger:
            raise _too_large(size_max)
        message = await receive()
        if message["type"] == "http.request":
            size += len(message.get("body", b""))
            if size > size_max:
                raise _too_large(size_max)
        return message

    return receive_limited


def _too_large(size_max: int) -> ProblemError:
    detail = f"The body may have at most {size_max} bytes."
    # What is left of the body stays unread, so that the connection is of no further use.
    return ProblemError(413, ProblemCode.BODY_TOO_LARGE, detail, headers={"Connection": "close"})
