"""Bodies and queries of what is read: lists of transfers and entries, balances, statements, what is pending."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator

from schemas.http import Decimals, Entry, Id, Output, Reference, Time, Transfer
from schemas.moments import parse_moment
from schemas.money import AMOUNT_PATTERN
from schemas.transfers import METADATA_KEY_CHARS_MAX, METADATA_KEYS_MAX, METADATA_VALUE_CHARS_MAX

VERSION_MAX = 2**63 - 1
PAGE_MAX = 100

_METADATA_NAME = re.compile(rf"metadata\[((?:(?!\]\[|\x00).){{0,{METADATA_KEY_CHARS_MAX}}})\]", re.DOTALL)


def _moment(value: Any) -> Any:
    return parse_moment(value) if isinstance(value, str) else value


def _moment_schema(example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "format": "date-time", "examples": [example]})


Moment = Annotated[datetime, BeforeValidator(_moment), _moment_schema("2030-01-31T12:00:00Z")]
From = Annotated[datetime, BeforeValidator(_moment), _moment_schema("2030-01-01T00:00:00Z")]
Before = Annotated[datetime, BeforeValidator(_moment), _moment_schema("2030-02-01T00:00:00Z")]
AmountBound = Annotated[
    Annotated[str, StringConstraints(pattern=f"^{AMOUNT_PATTERN}$")],
    WithJsonSchema({"type": "string", "pattern": f"^{AMOUNT_PATTERN}$", "examples": ["12.50"]}),
]
Cursor = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", max_length=12_000)]


class ListQuery(BaseModel):
    """Filters that every list of transfers has. All that are given must hold."""

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    amount_min: AmountBound | None = Field(
        None, alias="amount[gte]", description="Transfers of this amount or more. Amounts are taken without their sign."
    )
    amount_max: AmountBound | None = Field(None, alias="amount[lte]", description="Of this amount or less.")
    completed_from: From | None = Field(None, alias="completed_at[gte]", description="Completed then or later.")
    completed_before: Before | None = Field(None, alias="completed_at[lt]", description="Completed before.")
    requested_from: From | None = Field(
        None, alias="requested_at[gte]", description="Requested then or later, by the clock of whoever asked for it."
    )
    requested_before: Before | None = Field(None, alias="requested_at[lt]", description="Requested before.")
    reference: Reference | None = Field(None, description="With exactly this reference.", examples=["lunch"])

    @model_validator(mode="after")
    def _refuse_unknown(self) -> "ListQuery":
        """A filter that is misspelt would show everything."""
        names = [name for name in self.model_extra or {} if _METADATA_NAME.fullmatch(name) is None]
        if names:
            raise ValueError(f"there is no filter {names[0]}")
        if len(self.metadata) > METADATA_KEYS_MAX:
            raise ValueError(f"metadata must have at most {METADATA_KEYS_MAX} keys")
        for value in self.metadata.values():
            if "\x00" in value or len(value) > METADATA_VALUE_CHARS_MAX:
                raise ValueError(f"metadata values have at most {METADATA_VALUE_CHARS_MAX} characters, none U+0000")
        return self

    @property
    def metadata(self) -> Mapping[str, str]:
        """What ``metadata[key]=value`` asks for."""
        return {_metadata_key(name): str(value) for name, value in (self.model_extra or {}).items()}


def _metadata_key(name: str) -> str:
    match = _METADATA_NAME.fullmatch(name)
    return "" if match is None else match[1]


METADATA_PARAMETER: dict[str, Any] = {
    "parameters": [
        {
            "name": "metadata",
            "in": "query",
            "required": False,
            "style": "deepObject",
            "explode": True,
            "description": "`metadata[key]=value`: with exactly this value under this key; several must all be there.",
            "schema": {
                "type": "object",
                "propertyNames": {"maxLength": METADATA_KEY_CHARS_MAX},
                "additionalProperties": {"type": "string", "maxLength": METADATA_VALUE_CHARS_MAX},
                "maxProperties": METADATA_KEYS_MAX,
            },
            "examples": {"order": {"value": {"order": "4711"}}},
        }
    ]
}
"""What OpenAPI cannot be told by a field: a filter for each key."""


class TransferQuery(ListQuery):
    """Which transfers, and which page of them."""

    wallet_id: Id | None = Field(None, description="Those into and out of this wallet alone.")
    status: Literal["COMPLETED", "FAILED"] | None = Field(None, description="A wallet's failed ones are its own alone.")
    limit: int = Field(25, ge=1, le=PAGE_MAX, description="Transfers on the page.")
    starting_after: Cursor | None = Field(None, description="The `next_cursor` of another page: older ones.")
    ending_before: Cursor | None = Field(None, description="The `previous_cursor` of another page: newer ones.")


class EntryQuery(ListQuery):
    """Which entries, and which page of them."""

    limit: int = Field(25, ge=1, le=PAGE_MAX, description="Entries on the page.")
    starting_after: int | None = Field(
        None, ge=1, le=VERSION_MAX, description="The last `version` of the page before, or its `next_cursor`."
    )
    ending_before: int | None = Field(
        None, ge=0, le=VERSION_MAX, description="The first `version` of another page: newer ones."
    )


class TransferPage(Output):
    """Transfers, the newest first.

    A page examines a bounded number of transfers. Where filters pass over so many of them, it ends early, even without
    a single one, and `has_more` is true: go on with `next_cursor` (with `previous_cursor`, if you came by
    `ending_before`).
    """

    data: list[Transfer]
    has_more: bool = Field(description="Whether there may be more in the direction that was asked for.")
    next_cursor: str = Field(description="`starting_after` for the page of older ones.")
    previous_cursor: str = Field(description="`ending_before` for the page of newer ones, those to come among them.")


class Balance(Output):
    """What a wallet holds or has held."""

    wallet_id: str
    currency: str
    balance: Decimals
    version: int = Field(description="The number of entries that led to it.")
    at: Time | None = Field(description="The moment that was asked about.")
    completed_at: Time | None = Field(
        description="When the last of these entries was made, if a moment or a version was asked about."
    )


class State(Output):
    """A wallet's balance after so many entries."""

    balance: Decimals
    version: int


class Statement(Output):
    """A wallet's entries from one moment to another. The opening balance and all amounts sum up to the closing one."""

    wallet_id: str
    currency: str
    start: Time | None = Field(alias="from")
    end: Time = Field(alias="to")
    opening: State
    entries: list[Entry] = Field(description="The oldest first.")
    closing: State


class PendingRequests(Output):
    """Requests to pay out of a wallet that Kafka holds and the workers have not applied yet.

    They were there when this was asked, and had not been applied when it was answered. Each becomes a transfer, is
    found to repeat one, or is set aside as a dead letter.
    """

    wallet_id: str
    pending: int
    is_all: bool = Field(description="If false, more requests wait than were looked at: it is at least so many.")
    partition: int = Field(description="Of the topic of requests. All of this wallet's are on it.")
    from_offset: int = Field(description="Everything before has been applied.")
    to_offset: int = Field(description="Looked at up to here.")


class StatementQuery(BaseModel):
    """The time that a statement is about, and its form."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    start: From | None = Field(None, alias="from", description="The first moment of it; without, the very beginning.")
    end: Before | None = Field(None, alias="to", description="The first moment behind it; without, now.")
    format: Literal["json", "csv"] | None = Field(None, description="Goes before the header `Accept`.")


class BalanceQuery(BaseModel):
    """Which of a wallet's balances; without either, the present one."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    at: Moment | None = Field(None, description="The one at this moment.")
    version: int | None = Field(None, ge=0, le=VERSION_MAX, description="The one after so many entries.")
