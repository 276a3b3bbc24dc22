"""Money to move, as a program asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Required, TypedDict
from uuid import UUID, uuid4

from hfts_client.amounts import AmountLike, amount_text
from hfts_client.models import Id


class DepositFields(TypedDict, total=False):
    """What a deposit consists of. Without an ``idempotency_key`` one is made."""

    wallet_id: Required[Id]
    amount: Required[AmountLike]
    currency: Required[str]
    reference: str | None
    metadata: Mapping[str, str] | None
    idempotency_key: str | None


class PartFields(TypedDict, total=False):
    """What a draw on an earlier transfer may say: without an ``amount`` it takes all that is left of it, and without an
    ``idempotency_key`` one is made."""

    amount: AmountLike | None
    metadata: Mapping[str, str] | None
    idempotency_key: str | None


class DrawFields(PartFields, total=False):
    """The same, where the reference may be chosen."""

    reference: str | None


class RequestFields(TypedDict, total=False):
    """What a transfer consists of, whichever way it is sent."""

    source_wallet_id: Required[Id]
    destination_wallet_id: Required[Id]
    amount: Required[AmountLike]
    currency: Required[str]
    reference: str | None
    metadata: Mapping[str, str] | None
    transfer_id: Id | None


class TransferFields(RequestFields, total=False):
    """The same over HTTP. Without ``transfer_id`` and ``idempotency_key`` a key is made."""

    idempotency_key: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTransfer:
    """A transfer to ask for. What makes it safe to send again: a ``transfer_id`` or an ``idempotency_key``.

    One of both may be given; a key is made where there is neither. Raises TypeError and ValueError.
    """

    source_wallet_id: Id
    destination_wallet_id: Id
    amount: AmountLike
    currency: str
    reference: str | None = None
    metadata: Mapping[str, str] | None = None
    transfer_id: Id | None = None
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        if self.transfer_id is not None and self.idempotency_key is not None:
            raise ValueError("give either a transfer_id or an idempotency_key, not both")
        for name in ("source_wallet_id", "destination_wallet_id", "transfer_id"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, id_text(getattr(self, name)))
        object.__setattr__(self, "amount", amount_text(self.amount))
        if self.transfer_id is None and self.idempotency_key is None:
            object.__setattr__(self, "idempotency_key", new_key())

    def body(self) -> dict[str, Any]:
        """As JSON, without its key."""
        return {
            "source_wallet_id": self.source_wallet_id,
            "destination_wallet_id": self.destination_wallet_id,
            **money_fields(self.amount, self.currency, self.reference, self.metadata),
            **({} if self.transfer_id is None else {"transfer_id": self.transfer_id}),
        }

    def line(self) -> dict[str, Any]:
        """As JSON, with its key: a line of a batch."""
        return {**self.body(), **({} if self.idempotency_key is None else {"idempotency_key": self.idempotency_key})}


def money_fields(
    amount: AmountLike, currency: str, reference: str | None, metadata: Mapping[str, str] | None
) -> dict[str, Any]:
    """What transfers and deposits have in common, as JSON."""
    fields: dict[str, Any] = {"amount": amount_text(amount), "currency": currency}
    if reference is not None:
        fields["reference"] = reference
    if metadata is not None:
        fields["metadata"] = dict(metadata)
    return fields


def moment_text(moment: datetime) -> str:
    """The time as RFC 3339 has it. Raises ValueError for one that names no zone."""
    if moment.tzinfo is None:
        raise ValueError("a time needs a zone, such as datetime.UTC")
    return moment.isoformat()


def id_text(value: Id) -> str:
    """The id as lower-case text. Raises ValueError for what is no UUID."""
    return str(value if isinstance(value, UUID) else UUID(value))


def new_key() -> str:
    """An idempotency key that nobody has used."""
    return str(uuid4())
