"""Bodies of the HTTP API. What HTTP accepts, the stream accepts: the limits are those of `schemas.transfers`."""

from datetime import datetime
from typing import Annotated, Any, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints, WithJsonSchema

from schemas.codes import FailureReason, ProblemCode
from schemas.money import parse_amount
from schemas.transfers import (
    CURRENCIES,
    METADATA_KEY_CHARS_MAX,
    METADATA_KEYS_MAX,
    METADATA_VALUE_CHARS_MAX,
    REFERENCE_CHARS_MAX,
    Kind,
    format_time,
)

_UUID_PATTERN = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"

# Amounts above 0 in a form that every reader of JSON Schema knows: a look-ahead, which excludes 0 at once, is not.
_WHOLE_AND_MORE = r"[1-9][0-9]{0,13}(?:\.[0-9]{1,4})?"
_LESS_THAN_ONE = r"0\.(?:[1-9][0-9]{0,3}|0[1-9][0-9]{0,2}|00[1-9][0-9]?|000[1-9])"


def _known_currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError("currency must be an alphabetic code of ISO 4217, in capitals")
    return code


def _positive_amount(text: str) -> str:
    parse_amount(text)
    return text


def _storable(text: str) -> str:
    if "\x00" in text:  # PostgreSQL's text cannot hold it
        raise ValueError("must not contain the character U+0000")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):  # nor can UTF-8 hold these
        raise ValueError("must not contain half of a surrogate pair")
    return text


def normalise_email(text: str) -> str:
    """The address in the one form it is stored in: NFC, lower case. Raises ValueError for what is no address.

    Any domain is fine, also one that only an intranet knows.
    """
    try:
        found = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    return found.normalized.lower()


Id = Annotated[
    str, StringConstraints(pattern=_UUID_PATTERN, to_lower=True), WithJsonSchema({"type": "string", "format": "uuid"})
]
Currency = Annotated[
    str,
    AfterValidator(_known_currency),
    WithJsonSchema({"type": "string", "enum": sorted(CURRENCIES), "examples": ["EUR"], "description": "ISO 4217."}),
]
Amount = Annotated[
    str,
    AfterValidator(_positive_amount),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^(?:{_WHOLE_AND_MORE}|{_LESS_THAN_ONE})$",
            "examples": ["12.5000"],
            "description": "A decimal string above 0, at most 14 digits before and 4 after the point.",
        }
    ),
]
Email = Annotated[
    str, Field(max_length=320), AfterValidator(normalise_email), WithJsonSchema({"type": "string", "format": "email"})
]
Text = Annotated[str, AfterValidator(_storable)]
Reference = Annotated[Text, Field(max_length=REFERENCE_CHARS_MAX)]
Metadata = Annotated[
    dict[
        Annotated[Text, Field(max_length=METADATA_KEY_CHARS_MAX)],
        Annotated[Text, Field(max_length=METADATA_VALUE_CHARS_MAX)],
    ],
    Field(max_length=METADATA_KEYS_MAX),
]
Time = Annotated[
    datetime, PlainSerializer(format_time, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})
]
Decimals = Annotated[str, WithJsonSchema({"type": "string", "examples": ["0.0000"]})]


class Input(BaseModel):
    """What clients send: no field more, and nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Output(BaseModel):
    """What they get."""

    model_config = ConfigDict(from_attributes=True)


EXTENSIBLE: dict[str, Any] = {"x-extensible": True}
"""Of an enumeration that clients read: it may grow."""


class NewWallet(Input):
    """A wallet to open: for the caller, or for `user_id` when an admin asks."""

    currency: Currency
    user_id: Id | None = None


class Wallet(Output):
    """A wallet, its available balance and the number of its entries (`version`).

    `held` is set aside by holds, and not part of `balance`. The limits are those of one transfer or hold, and of their
    sum over a day; null for none.
    """

    wallet_id: str
    user_id: str | None
    kind: Literal["user", "world", "hold"] = Field(json_schema_extra=EXTENSIBLE)
    currency: str
    balance: Decimals
    version: int
    status: Literal["active", "frozen", "closed"]
    created_at: Time
    updated_at: Time
    held: Decimals
    transfer_max: Decimals | None
    day_max: Decimals | None


class WalletList(Output):
    """Every wallet of the caller, in order of currency."""

    data: list[Wallet]


class Entry(Output):
    """One leg of a transfer, as its wallet sees it: what came in (or went out, below 0) and the balance after it."""

    transfer_id: str
    version: int
    amount: Decimals
    balance: Decimals
    currency: str
    counterparty_wallet_id: str
    reference: str | None
    completed_at: Time


class EntryPage(Output):
    """Entries, the newest first. With `has_more`, go on with `starting_after` = `next_cursor`.

    A page examines a bounded number of entries. Where filters pass over so many of them, it ends early, even without
    a single one.
    """

    data: list[Entry]
    has_more: bool = Field(description="Whether there may be more in the direction that was asked for.")
    next_cursor: int = Field(description="`starting_after` for older ones: the lowest `version` that was examined.")
    previous_cursor: int = Field(description="`ending_before` for newer ones, those to come among them.")


class _Order(Input):
    amount: Amount
    currency: Currency
    reference: Reference | None = None
    metadata: Metadata | None = None


class NewTransfer(_Order):
    """Money to move. Give a `transfer_id` or an `Idempotency-Key` to be able to retry safely, not both."""

    source_wallet_id: Id
    destination_wallet_id: Id
    transfer_id: Id | None = None


class NewDeposit(_Order):
    """Money to bring in from the world wallet of the currency."""

    wallet_id: Id


class Receipt(Output):
    """The broker holds the request, on all of its in-sync replicas. Its outcome is at `location`."""

    transfer_id: str
    status: Literal["PENDING"] = "PENDING"
    topic: str
    partition: int
    offset: int
    accepted_at: Time
    receipt: str = Field(description="Signed; lets any API process tell PENDING from unknown.")
    location: str


class PendingTransfer(Output):
    """A request that has not been applied yet."""

    transfer_id: str
    status: Literal["PENDING"] = "PENDING"


class Transfer(Output):
    """What became of a transfer. What only the other party may know is null."""

    transfer_id: str
    status: Literal["COMPLETED", "FAILED"]
    reason: str | None = Field(description="A failure code; the list may grow.", examples=list(FailureReason))
    source_wallet_id: str
    destination_wallet_id: str
    amount: Decimals
    currency: str
    reference: str | None
    metadata: dict[str, str] | None
    kind: Kind | None = Field(default=None, description="Null for an ordinary transfer.")
    parent_id: str | None = Field(default=None, description="The hold or transfer that this one draws on.")
    expires_at: Time | None = Field(default=None, description="The end of a hold.")
    source_balance: Decimals | None
    source_version: int | None
    destination_balance: Decimals | None
    destination_version: int | None
    requested_at: Time
    completed_at: Time


class FieldError(Output):
    """A field at fault and what is wrong with it."""

    field: str
    message: str


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:hfts:problem:invalid_request"])
    title: str
    status: int
    detail: str
    code: ProblemCode = Field(json_schema_extra=EXTENSIBLE)
    instance: str | None = None
    errors: list[FieldError] | None = None
    doc_url: str | None = Field(None, description="Where the code is explained, and what to do next.")
    request_id: str


class Health(Output):
    """Alive, or ready."""

    status: Literal["ok", "ready"]
