"""Transfers out of JSON by the short way: one pass of msgspec, where a body is plainly right.

Whatever is not, or might not be, goes the long way (strict JSON, then the pydantic model), which also finds the words
for what is wrong. So the short way may refuse more, and must never accept more; a property test compares the two.
"""

import re
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from pydantic import ValidationError

from ingest_api.problems import ProblemError, invalid_fields
from schemas.codes import ProblemCode
from schemas.http import NewTransfer
from schemas.http_batch import NewTransferLine
from schemas.money import format_units
from schemas.strict_json import loads_strict
from schemas.transfers import TransferRequest, check_request

_KEY = re.compile(r"[\x20-\x7e]{1,255}")

_QUOTES = 16
"""Four members that must be there, a key and a text each."""


class PlainTransfer(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The body of one transfer; types are checked, values are not."""

    source_wallet_id: str
    destination_wallet_id: str
    amount: str
    currency: str
    transfer_id: str | None = None
    reference: str | None = None
    metadata: dict[str, str] | None = None


class PlainLine(PlainTransfer, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A line of a batch."""

    idempotency_key: str | None = None


_P = TypeVar("_P", bound=PlainTransfer)

_TRANSFERS = msgspec.json.Decoder(PlainTransfer)
_LINES = msgspec.json.Decoder(PlainLine)


def read_plain_transfer(raw: bytes) -> PlainTransfer | None:
    """The body, or None where it takes the long way to tell."""
    return _read(_TRANSFERS, raw)


def read_plain_line(raw: bytes) -> PlainLine | None:
    """Likewise for a line of a batch."""
    line = _read(_LINES, raw)
    if line is not None and line.idempotency_key is not None and _KEY.fullmatch(line.idempotency_key) is None:
        return None
    return line


def read_line_strictly(raw: bytes) -> NewTransferLine:
    """A line of a batch by the long way. Raises ProblemError."""
    try:
        return NewTransferLine.model_validate(loads_strict(raw), from_attributes=True)  # as FastAPI does
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise invalid_fields([{**each, "loc": ("body", *each["loc"])} for each in found]) from None
    except ValueError as error:
        raise ProblemError(400, ProblemCode.MALFORMED_BODY, f"The line is not strict JSON: {error}.") from None


def request_of(fields: PlainTransfer | NewTransfer, transfer_id: str, now: datetime) -> TransferRequest:
    """The request: ids in lower case, its amount with four digits after the point. Raises InvalidRequestError."""
    request = TransferRequest(
        transfer_id=transfer_id,
        source_wallet_id=fields.source_wallet_id,
        destination_wallet_id=fields.destination_wallet_id,
        amount=fields.amount,
        currency=fields.currency,
        requested_at=now,
        reference=fields.reference,
        metadata=fields.metadata,
    )
    request.amount = format_units(check_request(request))
    return request


def _read(decoder: "msgspec.json.Decoder[_P]", raw: bytes) -> _P | None:
    try:
        found: Any = decoder.decode(raw)
    except (ValueError, RecursionError):
        return None
    # Of equal keys msgspec keeps the last. Each pair leaves two quotation marks or more beyond what the members account
    # for; so do escaped ones and nulls, which go the long way, too.
    quotes = _QUOTES
    if found.transfer_id is not None:
        quotes += 4
    if found.reference is not None:
        quotes += 4
    if found.metadata is not None:
        quotes += 2 + 4 * len(found.metadata)
    if decoder is _LINES and found.idempotency_key is not None:
        quotes += 4
    return found if raw.count(b'"') == quotes else None
