"""What the ledger works on. Balances and amounts are in units of 0.0001; ids are lower-case text."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import msgspec

from schemas.transfers import TransferRequest


class Order(msgspec.Struct, gc=False):
    """A valid request, its amount in units, and where it stands on its topic."""

    request: TransferRequest
    units: int
    partition: int
    offset: int


class WalletState(msgspec.Struct, gc=False):
    """A wallet as it was read under lock, or as a batch leaves it."""

    currency: str
    is_world: bool
    is_active: bool
    units: int
    version: int
    is_closed: bool = False


class Transfer(msgspec.Struct, gc=False, kw_only=True):
    """A row of ``transfers``. ``reason`` is None when it completed, balances and versions are None when it failed."""

    transfer_id: str
    source_wallet_id: str
    destination_wallet_id: str
    units: int
    currency: str
    reason: str | None
    source_units: int | None
    source_version: int | None
    destination_units: int | None
    destination_version: int | None
    requested_at: datetime
    completed_at: datetime
    reference: str | None
    metadata: dict[str, str] | None
    request_partition: int
    request_offset: int


class Batch(msgspec.Struct, kw_only=True):
    """The orders of one partition from offset ``first_offset`` up to, not including, ``next_offset``.

    ``first_offset`` is what the partition's progress must be before; records that are no orders lie in between.
    """

    partition: int
    first_offset: int
    next_offset: int
    orders: Sequence[Order]


class Verdict(msgspec.Struct):
    """What orders come to, and the wallets that this was decided on, by id.

    ``changed`` are wallets as the transfers leave them, ``read`` those and others as they were before; ``relied_on``
    are the ids of wallets that no transfer changes, but that made one fail.
    """

    transfers: list[Transfer]
    changed: dict[str, WalletState]
    read: Mapping[str, WalletState]
    relied_on: list[str]
    decided_at: datetime


class Refused(msgspec.Struct):
    """An order that cannot have a row of its own: its id was used with other content, or the database refuses it."""

    order: Order
    cause: str
    detail: str


class Applied(msgspec.Struct):
    """What batches came to: the rows that their own records made, and the orders to set aside, by offset.

    An order that repeats a transfer with the same content is in neither.
    """

    transfers: list[Transfer]
    refused: list[Refused]


Decide = Callable[[Sequence[Order], Mapping[str, WalletState], datetime], tuple[list[Transfer], dict[str, WalletState]]]
"""Decides orders in turn against the wallets as read: (orders, wallets by id, completed_at) to the transfers and the
wallets they changed. Pure: what it is given stays as it is."""
