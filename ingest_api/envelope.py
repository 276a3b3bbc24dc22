"""What surrounds every request: its id, its trace, the bound on those in progress, the limit of its body, its metric,
its line in the log, the answer to a fault of ours, and the end of its connection when the process is about to stop.

One plain ASGI callable: Starlette's BaseHTTPMiddleware would start a task for each request.
"""

import logging
import re
from time import perf_counter

import structlog
from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars
from uuid_utils import uuid7

from ingest_api.body_limits import body_bytes_max
from ingest_api.draining import Draining
from ingest_api.in_progress import IN_PROGRESS_KEY, InProgress
from ingest_api.log_budget import LogBudget
from ingest_api.metrics import REQUESTS
from ingest_api.preferences import WAITED_KEY
from ingest_api.problems import RATE_HEADERS_KEY, REQUEST_ID_KEY, ProblemError, printable, problem_response
from schemas.codes import ProblemCode
from schemas.traceparent import checked
from sinks.kafka.request_ids import carry, put_down
from sinks.tracing import disinherit, inherit, tracing

_SANE_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_READ = frozenset({b"x-request-id", b"request-id", b"traceparent"})
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
UNBOUNDED_PATHS = frozenset({"/healthz", "/metrics"})
"""Whoever watches the process must be answered most of all when it has too much to do."""

FAULT_STATUS = 500

SLOW_S = 1.0
"""Hundreds of times what a request takes: longer than this, something is wrong."""

LINES_A_SECOND = 10
"""About requests that fail or are slow. The metrics count all of them."""

_log = structlog.get_logger(__name__)
_levels = logging.getLogger(__name__)
"""For asking whether a line would be written: structlog takes several times as long to find out."""


class Envelope:
    """Wraps the whole app but Starlette's own outermost error page."""

    def __init__(self, app: ASGIApp, in_progress: InProgress, draining: Draining) -> None:
        self._app = app
        self._in_progress = in_progress
        self._draining = draining
        self._counters: dict[tuple[str, int], Counter] = {}
        self._is_traced = tracing().tracer_provider is not None
        self._budget = LogBudget(LINES_A_SECOND)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent_id, traceparent = _marks(scope)
        request_id = sent_id or uuid7().hex
        raw_id = request_id.encode()
        scope[REQUEST_ID_KEY] = request_id
        scope[IN_PROGRESS_KEY] = self._in_progress
        bound = bind_contextvars(request_id=request_id)
        carried = None if sent_id is None else carry(sent_id)
        inherited = None if traceparent is None else inherit(traceparent)
        status, began_s, took_s = 0, perf_counter(), 0.0

        async def send_marked(message: Message) -> None:
            nonlocal status, took_s
            if message["type"] == "http.response.start":
                status, took_s = message["status"], perf_counter() - began_s
                message["headers"] = [
                    *message["headers"],
                    (b"request-id", raw_id),
                    (b"x-request-id", raw_id),
                    *scope.get(RATE_HEADERS_KEY, ()),
                ]
                if self._draining.has_begun:  # the client's next request goes to another process
                    message["headers"].append((b"connection", b"close"))
                if self._is_traced:
                    tracing().name_request(scope["method"], _route(scope), request_id)
            await send(message)

        limited = receive if scope["method"] in _WITHOUT_BODY else _limited(scope, receive)
        try:
            await self._serve(scope, limited, send_marked)
        except Exception:  # the outermost layer: whatever it is, the client gets a problem without inner details
            _log.exception("http.fault", method=scope["method"], path=printable(scope["path"]))
            if status:  # the answer has begun: only breaking it off tells the client
                raise
            response = problem_response(scope, ProblemError(500, ProblemCode.INTERNAL_ERROR))
            await response(scope, receive, send_marked)
        finally:
            self._count(scope, status)
            self._tell(scope, status, took_s)
            reset_contextvars(**bound)
            if carried is not None:
                put_down(carried)
            if inherited is not None:
                disinherit(inherited)

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
        route = _route(scope) or "unmatched"
        counter = self._counters.get((route, status))
        if counter is None:  # routes and statuses are few
            counter = self._counters[route, status] = REQUESTS.labels(route, status)
        counter.inc()

    def _tell(self, scope: Scope, status: int, took_s: float) -> None:
        """Tell of a request that failed by our fault or was slow to be answered; of every one with debug logging."""
        is_wrong = status >= FAULT_STATUS or (took_s >= SLOW_S and WAITED_KEY not in scope)
        left_out = self._budget.take() if is_wrong else None
        if left_out is None and not _levels.isEnabledFor(logging.DEBUG):
            return
        seen = {
            "method": scope["method"],
            "path": printable(scope["path"]),
            "route": _route(scope),
            "status": status,
            "took_ms": round(1000 * took_s, 1),
        }
        if left_out is None:
            _log.debug("http.request", **seen)
        else:
            _log.warning("http.request", **seen, left_out=left_out)


def _route(scope: Scope) -> str | None:
    """The route that serves it, as it is written, once that is known."""
    return getattr(scope.get("route"), "path_format", None)


def _marks(scope: Scope) -> tuple[str | None, bytes | None]:
    """The client's own id of the request, if that is sane, and the trace it belongs to, if it does to a single one."""
    request_id: str | None = None
    traceparent: bytes | None = None
    for name, value in scope["headers"]:
        if name in _READ:
            if name == b"traceparent":
                traceparent = value if traceparent is None else b""
            elif request_id is None and _SANE_ID.fullmatch(value):
                request_id = str(value, "ascii")
    return request_id, checked(traceparent) if traceparent else None


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
