"""Holds and what draws on them."""

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

import msgspec

from hfts_client.models.answered import Answered


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """A capture or void of a hold."""

    transfer_id: UUID
    kind: str
    status: Literal["COMPLETED", "FAILED"]
    reason: str | None
    amount: Decimal
    destination_wallet_id: UUID
    completed_at: datetime


class Hold(Answered, frozen=True, kw_only=True):
    """Money set aside. ``status`` is open, expired, captured, voided or failed; in a list, ``draws`` are left out."""

    hold_id: UUID
    status: str
    reason: str | None
    source_wallet_id: UUID
    hold_wallet_id: UUID
    amount: Decimal
    captured: Decimal
    voided: Decimal
    remaining: Decimal
    currency: str
    reference: str | None
    metadata: dict[str, str] | None
    expires_at: datetime | None
    requested_at: datetime
    completed_at: datetime
    version: int | None
    draws: list[Draw] = msgspec.field(default_factory=list)


class HoldPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of holds, the newest first. One without any may have more behind it."""

    data: list[Hold]
    has_more: bool
    next_cursor: int | None = None
