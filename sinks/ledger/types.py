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


class Terms(msgspec.Struct, gc=False, frozen=True):
    """What sets a wallet apart from an ordinary one, beside its status; ``number`` goes up with every change of both.

    ``transfer_max`` bounds each of its transfers and holds, ``day_max`` their sum over the last day, in units.
    """

    number: int = 0
    is_hold: bool = False
    transfer_max: int | None = None
    day_max: int | None = None


ORDINARY = Terms()
"""Those of nearly every wallet; these are told by identity."""


class WalletState(msgspec.Struct, gc=False):
    """A wallet as it was read under lock, or as a batch leaves it."""

    currency: str
    is_world: bool
    is_active: bool
    units: int
    version: int
    is_closed: bool = False
    terms: Terms = ORDINARY


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
    kind: str | None = None
    parent_id: str | None = None
    expires_at: datetime | None = None


class Parent(msgspec.Struct, gc=False, frozen=True):
    """A completed transfer that others may draw on, and how many of its units are left."""

    kind: str | None
    source_wallet_id: str
    destination_wallet_id: str
    units_left: int
    expires_at: datetime | None


class Facts(msgspec.Struct, frozen=True):
    """What some orders are decided on beside the wallets: by id, the transfers that they draw on, where these are
    completed, and what has left the wallets with a limit for the day since that began, in units.
    """

    parents: Mapping[str, Parent] = {}
    spent: Mapping[str, int] = {}


NO_FACTS = Facts()


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


Decide = Callable[
    [Sequence[Order], Mapping[str, WalletState], datetime, Facts],
    tuple[list[Transfer], dict[str, WalletState]],
]
"""Decides orders in turn against the wallets as read: (orders, wallets by id, completed_at, facts) to the transfers and
the wallets they changed. Pure: what it is given stays as it is."""
