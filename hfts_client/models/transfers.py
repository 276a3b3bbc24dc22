"""Transfers: accepted, decided, told, listed, and tried beforehand."""

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

import msgspec

from hfts_client.models.answered import Answered


class Receipt(Answered, frozen=True, kw_only=True):
    """The brokers hold the request, on all of their in-sync replicas. Its outcome is at ``location``."""

    transfer_id: UUID
    status: Literal["PENDING"]
    topic: str
    partition: int
    offset: int
    accepted_at: datetime
    location: str


class AcceptedLine(msgspec.Struct, frozen=True, kw_only=True):
    """The brokers hold this transfer of a batch. Its outcome is at ``location``."""

    transfer_id: UUID
    location: str


class PendingTransfer(Answered, frozen=True, kw_only=True):
    """A request that has not been applied yet."""

    transfer_id: UUID
    status: Literal["PENDING"]


class Transfer(Answered, frozen=True, kw_only=True):
    """What became of a transfer. What only the other party may know is None.

    ``reason`` is a failure code, and None if it COMPLETED. Balances and versions are those after it. ``kind`` is None
    for an ordinary one; ``parent_id`` is what a capture, void or reversal draws on.
    """

    transfer_id: UUID
    status: Literal["COMPLETED", "FAILED"]
    reason: str | None
    source_wallet_id: UUID
    destination_wallet_id: UUID
    amount: Decimal
    currency: str
    reference: str | None
    metadata: dict[str, str] | None
    source_balance: Decimal | None
    source_version: int | None
    destination_balance: Decimal | None
    destination_version: int | None
    requested_at: datetime
    completed_at: datetime
    kind: str | None = None
    parent_id: UUID | None = None
    expires_at: datetime | None = None


class TransferEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome that was told. With ``event_id`` as ``after``, a later `events` goes on behind it."""

    event_id: str
    type: str
    transfer: Transfer


class TransferPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of transfers, the newest first. One without any may have more behind it."""

    data: list[Transfer]
    has_more: bool
    next_cursor: str


class Verdict(Answered, frozen=True, kw_only=True):
    """What would become of a transfer now."""

    verdict: Literal["COMPLETED", "FAILED"]
    reason: str | None
    detail: str | None
    source_balance: Decimal | None
    destination_balance: Decimal | None
