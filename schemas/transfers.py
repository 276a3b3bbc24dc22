"""A transfer's request and outcome as they stand on Kafka, and the strict reading of a request.

Requests are read with msgspec, which is several times faster than a pydantic model; what it does not check
(ids, amounts, limits of texts, keys that stand twice) is checked here.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from iso4217 import Currency

from schemas.holds import hold_wallet_id
from schemas.money import parse_amount
from schemas.strict_json import loads_strict

REFERENCE_CHARS_MAX = 200
METADATA_KEYS_MAX = 50
METADATA_KEY_CHARS_MAX = 40
METADATA_VALUE_CHARS_MAX = 500

# Times whose UTC form datetime can hold, whatever their offset.
YEAR_MIN = 1970
YEAR_MAX = 9998

CURRENCIES = frozenset(currency.code for currency in Currency)
"""The alphabetic codes of ISO 4217."""

HOLD: Final = "hold"
CAPTURE: Final = "capture"
VOID: Final = "void"
REVERSAL: Final = "reversal"

Kind: TypeAlias = Literal["hold", "capture", "void", "reversal"]
"""What a request is, if it is no ordinary transfer. A hold sets money of a wallet aside, in its hold wallet; a capture
pays out of a hold, and a void gives back what is left of it; a reversal sends back what a transfer has brought."""

DRAWS = frozenset({CAPTURE, VOID, REVERSAL})
"""Those that draw on an earlier transfer, and never on more than is left of it."""

_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"  # RFC 9562 section 4
_IDS = re.compile(rf"{_UUID} {_UUID} {_UUID}")
_ID = re.compile(_UUID)


class MalformedRequestError(ValueError):
    """The bytes are not one JSON document in UTF-8 with unique keys."""


class InvalidRequestError(ValueError):
    """The document breaks the schema; the message names the field and the rule."""


class TransferRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A request to move ``amount`` (decimal text) of ``currency`` from the source wallet to the destination.

    ``parent_id`` is the transfer that a capture, a void or a reversal draws on; a hold may have an end.
    """

    transfer_id: str
    source_wallet_id: str
    destination_wallet_id: str
    amount: str
    currency: str
    requested_at: Annotated[datetime, msgspec.Meta(tz=True)]
    reference: str | None = None
    metadata: dict[str, str] | None = None
    kind: Kind | None = None
    parent_id: str | None = None
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class Outcome(msgspec.Struct, kw_only=True, gc=False):
    """What became of a request. Balances and versions are those after the transfer, null when it failed.

    Times are in UTC, so that equal moments are equal texts.
    """

    transfer_id: str
    source_wallet_id: str
    destination_wallet_id: str
    amount: str
    currency: str
    requested_at: datetime
    reference: str | msgspec.UnsetType = msgspec.UNSET
    metadata: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    kind: str | msgspec.UnsetType = msgspec.UNSET
    parent_id: str | msgspec.UnsetType = msgspec.UNSET
    expires_at: datetime | msgspec.UnsetType = msgspec.UNSET
    status: str
    reason: str | None
    source_balance: str | None
    source_version: int | None
    destination_balance: str | None
    destination_version: int | None
    completed_at: datetime


_REQUEST_DECODER = msgspec.json.Decoder(TransferRequest)
_OUTCOME_DECODER = msgspec.json.Decoder(Outcome)
_ENCODER = msgspec.json.Encoder()


def decode_request(raw: bytes | None) -> tuple[TransferRequest, int]:
    """The request, its ids in lower case and its time in UTC, and its amount in units.

    Raises MalformedRequestError or InvalidRequestError.
    """
    if raw is None:
        raise MalformedRequestError("the record has no value")
    try:
        request = _REQUEST_DECODER.decode(raw)
    except msgspec.ValidationError as error:
        _refuse_malformed(raw)
        raise InvalidRequestError(str(error)) from None
    except (ValueError, RecursionError) as error:
        raise MalformedRequestError(str(error)) from None
    _refuse_repeated_keys(raw, request)
    return request, check_request(request)


def check_request(request: TransferRequest) -> int:
    """The amount in units; puts the ids in lower case and the time in UTC. Raises InvalidRequestError."""
    ids = f"{request.transfer_id} {request.source_wallet_id} {request.destination_wallet_id}"
    if _IDS.fullmatch(ids) is None:
        raise InvalidRequestError("transfer_id, source_wallet_id and destination_wallet_id must be hyphenated UUIDs")
    lower = ids.lower()
    if lower != ids:
        request.transfer_id, request.source_wallet_id, request.destination_wallet_id = lower.split(" ")
    if request.currency not in CURRENCIES:
        raise InvalidRequestError("currency must be an alphabetic code of ISO 4217")
    if not YEAR_MIN <= request.requested_at.year <= YEAR_MAX:
        raise InvalidRequestError(f"requested_at must lie in the years {YEAR_MIN} to {YEAR_MAX}")
    if request.requested_at.tzinfo is not UTC:
        request.requested_at = request.requested_at.astimezone(UTC)
    if request.reference is not None:
        _check_text("reference", request.reference, REFERENCE_CHARS_MAX)
    if request.metadata is not None:
        _check_metadata(request.metadata)
    if request.kind is not None or request.parent_id is not None or request.expires_at is not None:
        _check_kind(request)
    try:
        return parse_amount(request.amount)
    except ValueError as error:
        raise InvalidRequestError(str(error)) from None


def encode_request(request: TransferRequest) -> bytes:
    """The request as it stands on ``transfers.requested``."""
    return _ENCODER.encode(request)


def decode_outcome(raw: bytes) -> Outcome:
    """The outcome. Raises msgspec.MsgspecError for anything that we did not write."""
    return _OUTCOME_DECODER.decode(raw)


def encode_outcome(outcome: Outcome) -> bytes:
    """The outcome as it stands on ``transfers.outcomes``."""
    return _ENCODER.encode(outcome)


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC, always with six digits of a second, so that equal moments are equal texts."""
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return in_utc.isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"


def _check_text(name: str, text: str, chars_max: int) -> None:
    if len(text) > chars_max:
        raise InvalidRequestError(f"{name} must have at most {chars_max} characters")
    if "\x00" in text:  # PostgreSQL's text cannot hold it
        raise InvalidRequestError(f"{name} must not contain the character U+0000")


def _check_kind(request: TransferRequest) -> None:
    if (request.parent_id is not None) != (request.kind in DRAWS):
        raise InvalidRequestError("parent_id must be given with a capture, a void or a reversal, and with nothing else")
    if request.parent_id is not None:
        if _ID.fullmatch(request.parent_id) is None:
            raise InvalidRequestError("parent_id must be a hyphenated UUID")
        request.parent_id = request.parent_id.lower()
    if request.kind == HOLD and request.destination_wallet_id != hold_wallet_id(request.source_wallet_id):
        raise InvalidRequestError("the destination of a hold must be the hold wallet of its source")
    if request.expires_at is not None:
        if request.kind != HOLD:
            raise InvalidRequestError("expires_at must be given with nothing but a hold")
        if not YEAR_MIN <= request.expires_at.year <= YEAR_MAX:
            raise InvalidRequestError(f"expires_at must lie in the years {YEAR_MIN} to {YEAR_MAX}")
        request.expires_at = request.expires_at.astimezone(UTC)


def _check_metadata(metadata: dict[str, str]) -> None:
    if len(metadata) > METADATA_KEYS_MAX:
        raise InvalidRequestError(f"metadata must have at most {METADATA_KEYS_MAX} keys")
    for key, value in metadata.items():
        _check_text("a metadata key", key, METADATA_KEY_CHARS_MAX)
        _check_text("a metadata value", value, METADATA_VALUE_CHARS_MAX)


def _refuse_malformed(raw: bytes) -> None:
    try:
        loads_strict(raw)
    except ValueError as error:
        raise MalformedRequestError(str(error)) from None


def _refuse_repeated_keys(raw: bytes, request: TransferRequest) -> None:
    """msgspec keeps the last of two equal keys. Each one leaves at least two quotation marks more than the fields
    account for, so that only a suspicious document is read a second time."""
    quotes = 24  # six required members, a key and a text each
    if request.reference is not None:
        quotes += 4
    if request.metadata is not None:
        quotes += 2 + 4 * len(request.metadata)
    if request.kind is not None:
        quotes += 4 + (4 if request.parent_id is not None else 0) + (4 if request.expires_at is not None else 0)
    if raw.count(b'"') != quotes:
        _refuse_malformed(raw)
