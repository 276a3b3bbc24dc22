"""The client's own id of the HTTP request in hand, on the records that are sent for it.

An id that we made up is not carried: it would only lengthen every record, and nobody knows it elsewhere.
"""

from contextvars import ContextVar, Token

from schemas.headers import REQUEST_ID
from sinks.tracing import OwnHeaders

_carried: ContextVar[bytes | None] = ContextVar("request_id", default=None)


def carry(request_id: str) -> Token[bytes | None]:
    """Put this id on the records that are sent from here. Give the token back in the end."""
    return _carried.set(request_id.encode("ascii"))


def put_down(token: Token[bytes | None]) -> None:
    """Carry it no more."""
    _carried.reset(token)


def with_request_id(headers: OwnHeaders) -> OwnHeaders:
    """These headers, and behind them the request's id if there is one to carry."""
    request_id = _carried.get()
    return headers if request_id is None else [*headers, (REQUEST_ID, request_id)]
