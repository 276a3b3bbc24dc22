"""The short way of a submitted transfer, past the framework, for requests that are plainly right.

FastAPI takes several times as long to find a route, and to parse, check and answer, as everything else that is done
for a transfer. So `POST /v1/transfers` is looked at here first. What is not plainly right goes on to the route as it
came, body and all: there alone it is refused, and the words for it are found. What is accepted here, the route would
accept, with the same answer; a property test compares the two.
"""

from datetime import UTC, datetime

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils import uuid7

from ingest_api.acceptance import REPLAYED_HEADER, is_key, receipt_document
from ingest_api.in_progress import IN_PROGRESS_KEY, InProgress
from ingest_api.problems import ProblemError, problem_response
from ingest_api.services import Services
from ingest_api.submission import Accepted, transfer_id_of_key
from ingest_api.tokens import Caller
from ingest_api.transfer_body import read_plain_transfer, request_of
from schemas.access import Right
from schemas.transfers import InvalidRequestError
from sinks.errors import DatabaseAwayError

PATH = "/v1/transfers"
_JSON = b"application/json"
_READ = frozenset({b"authorization", b"content-type", b"idempotency-key", b"prefer"})


class ShortWay:
    """Tries the short way, and else hands the request on. ``route`` is the one that it stands for."""

    def __init__(self, app: ASGIApp, route: BaseRoute) -> None:
        self._app = app
        self._route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST" or scope["query_string"]:
            await self._app(scope, receive, send)
            return
        services: Services = scope["app"].state.services
        head = _head(scope)
        caller = None if head is None else _caller(services, head)
        if head is None or caller is None:
            await self._app(scope, receive, send)
            return
        in_progress: InProgress = scope[IN_PROGRESS_KEY]
        messages: list[Message] = []
        try:
            if services.rate_limit is not None:
                services.rate_limit.admit(scope, caller.user_id)
            in_progress.enter_caller(caller.user_id)
            try:
                accepted = await _submit(services, caller, head.get(b"idempotency-key"), await _body(receive, messages))
            finally:
                in_progress.leave_caller(caller.user_id)
        except ProblemError as problem:
            scope["route"] = self._route
            await problem_response(scope, problem)(scope, receive, send)
            return
        if accepted is None:
            await self._app(scope, _replayed(messages, receive), send)
            return
        scope["route"] = self._route
        await _answer(services, accepted, send)


def _head(scope: Scope) -> dict[bytes, bytes] | None:
    """The headers that count here; None where one of them stands twice, the body is not plain JSON, or the client would
    rather have another answer.
    """
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _READ:
            if name in found:
                return None
            found[name] = value
    return found if found.get(b"content-type") == _JSON and b"prefer" not in found else None


def _caller(services: Services, head: dict[bytes, bytes]) -> Caller | None:
    """Who sends it, if that is known and they may."""
    scheme, _, credential = head.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme != "Bearer":
        return None
    caller = services.access.known(credential.strip())
    return caller if caller is not None and caller.may(Right.TRANSFERS_WRITE) else None


async def _body(receive: Receive, messages: list[Message]) -> bytes:
    """The whole body, whose messages are kept; b"" when its sender has left. Raises ProblemError (413)."""
    while True:
        message = await receive()
        messages.append(message)
        if message["type"] != "http.request":
            return b""
        if not message.get("more_body", False):
            break
    if len(messages) == 1:
        body: bytes = messages[0].get("body", b"")
        return body
    return b"".join([message.get("body", b"") for message in messages])


async def _submit(services: Services, caller: Caller, raw_key: bytes | None, body: bytes) -> Accepted | None:
    """Publish the transfer; None, and nothing is done, if it takes the long way to tell. Raises ProblemError."""
    plain = read_plain_transfer(body)
    if plain is None:
        return None
    transfer_id = plain.transfer_id
    if raw_key is not None:
        key = raw_key.decode("latin-1")
        if transfer_id is not None or not is_key(key):
            return None
        transfer_id = transfer_id_of_key(caller, key)
    try:
        request = request_of(plain, transfer_id or str(uuid7()), datetime.now(UTC))
    except InvalidRequestError:
        return None
    try:
        await services.owners.require_access(caller, request.source_wallet_id)
    except (ProblemError, DatabaseAwayError):
        return None
    return await services.submitter.submit_request(caller, "transfer", request, is_repeatable=transfer_id is not None)


def _replayed(messages: list[Message], receive: Receive) -> Receive:
    """Receives once more what has been received."""
    left = iter(messages)

    async def receive_again() -> Message:
        message = next(left, None)
        return await receive() if message is None else message

    return receive_again


async def _answer(services: Services, accepted: Accepted, send: Send) -> None:
    document, location = receipt_document(services, accepted)
    headers = [
        (b"location", location.encode("latin-1")),
        (b"content-length", b"%d" % len(document)),
        (b"content-type", _JSON),
    ]
    if accepted.is_replay:
        headers.append((REPLAYED_HEADER.lower().encode(), b"true"))
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": document})
