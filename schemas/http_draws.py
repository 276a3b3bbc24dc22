"""Bodies of holds and of what draws on earlier transfers, of limits, and of a dry run."""

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from pydantic import AfterValidator, Field, WithJsonSchema

from schemas.codes import FailureReason
from schemas.http import Amount, Currency, Decimals, Id, Input, Metadata, Output, Reference, Time
from schemas.transfers import YEAR_MAX, YEAR_MIN

PART = "All that is left, if not given."


def _moment(text: str) -> str:
    try:
        msgspec.convert(text, _MOMENT)
    except msgspec.ValidationError:
        raise ValueError("must be a time as RFC 3339 has it, with its offset") from None
    return text


_MOMENT = Annotated[datetime, msgspec.Meta(tz=True)]
Moment = Annotated[str, AfterValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]


def moment_of(text: Moment) -> datetime:
    """The time that it says, or the nearest one of the years that requests may name."""
    moment = msgspec.convert(text, _MOMENT)
    if moment.year < YEAR_MIN:
        return datetime(YEAR_MIN, 1, 1, tzinfo=UTC)
    return moment if moment.year <= YEAR_MAX else datetime(YEAR_MAX, 12, 31, tzinfo=UTC)


class NewHold(Input):
    """Money to set aside. Give a `transfer_id` or an `Idempotency-Key` to be able to retry safely, not both."""

    source_wallet_id: Id
    amount: Amount
    currency: Currency
    expires_at: Moment | None = Field(default=None, description="What is left goes back by itself then, else never.")
    reference: Reference | None = None
    metadata: Metadata | None = None
    transfer_id: Id | None = None


class NewVoid(Input):
    """Money to give back out of a hold."""

    amount: Amount | None = Field(default=None, description=PART)
    reference: Reference | None = None
    metadata: Metadata | None = None


class NewCapture(NewVoid):
    """Money to pay out of a hold."""

    destination_wallet_id: Id


class NewReversal(NewVoid):
    """Money to send back to where it came from."""


class NewReversalByReference(NewVoid):
    """Likewise, of the one transfer that brought money to this wallet with this reference."""

    wallet_id: Id
    reference: Reference


class Draw(Output):
    """A capture, void or reversal, completed or failed."""

    transfer_id: str
    kind: Literal["capture", "void", "reversal"]
    status: Literal["COMPLETED", "FAILED"]
    reason: str | None
    amount: Decimals
    destination_wallet_id: str
    completed_at: Time


class Hold(Output):
    """A hold. `expired`: its end has come, and what is left is about to go back."""

    hold_id: str
    status: Literal["open", "expired", "captured", "voided", "failed"]
    reason: str | None = Field(description="Why it failed.", examples=list(FailureReason))
    source_wallet_id: str
    hold_wallet_id: str
    amount: Decimals
    captured: Decimals
    voided: Decimals
    remaining: Decimals
    currency: str
    reference: str | None
    metadata: dict[str, str] | None
    expires_at: Time | None
    requested_at: Time
    completed_at: Time
    version: int | None = Field(description="Of the hold wallet; null when it failed.")


class HoldWithDraws(Hold):
    """A hold, and what has drawn on it: the newest 100."""

    draws: list[Draw]


class HoldPage(Output):
    """Holds, the newest first. With `has_more`, go on with `starting_after` = `next_cursor`.

    A page examines a bounded number of versions of the hold wallet: where holds that are not open have so many of them,
    it ends early, even without a single one.
    """

    data: list[Hold]
    has_more: bool = Field(description="Whether there may be more.")
    next_cursor: int = Field(description="`starting_after` for older ones: the lowest `version` that was examined.")


class NewLimits(Input):
    """Limits of a wallet, all of them at once: null or nothing for none."""

    transfer_max: Amount | None = Field(default=None, description="Of each transfer or hold.")
    day_max: Amount | None = Field(default=None, description="Of the sum of transfers and holds over the last day.")


class Verdict(Output):
    """What would become of a transfer now. What only the other party may know is null."""

    verdict: Literal["COMPLETED", "FAILED"]
    reason: str | None = Field(description="A failure code; the list may grow.", examples=list(FailureReason))
    detail: str | None = Field(description="What the reason means, and what to do about it.")
    source_balance: Decimals | None = Field(description="After the transfer.")
    destination_balance: Decimals | None = Field(description="Likewise.")
