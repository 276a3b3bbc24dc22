"""The rules of a transfer: a pure decision of each order, in turn, against the wallets as they stand by then."""

from collections.abc import Mapping, Sequence
from copy import copy
from datetime import datetime

from schemas.codes import FailureReason
from schemas.money import UNITS_MAX
from sinks.ledger.types import Order, Transfer, WalletState


def decide(
    orders: Sequence[Order], wallets: Mapping[str, WalletState], completed_at: datetime
) -> tuple[list[Transfer], dict[str, WalletState]]:
    """A transfer for each order, in their order, and the wallets that these change, by id.

    ``wallets`` holds every wallet named that exists; it is left as it is.
    """
    transfers: list[Transfer] = []
    changed: dict[str, WalletState] = {}
    for order in orders:
        request = order.request
        source_id, destination_id = request.source_wallet_id, request.destination_wallet_id
        source = changed.get(source_id) or wallets.get(source_id)
        destination = changed.get(destination_id) or wallets.get(destination_id)
        reason = refusal(order, source, destination)
        transfer = Transfer(
            transfer_id=request.transfer_id,
            source_wallet_id=source_id,
            destination_wallet_id=destination_id,
            units=order.units,
            currency=request.currency,
            reason=reason,
            source_units=None,
            source_version=None,
            destination_units=None,
            destination_version=None,
            requested_at=request.requested_at,
            completed_at=completed_at,
            reference=request.reference,
            metadata=request.metadata,
            request_partition=order.partition,
            request_offset=order.offset,
        )
        if reason is None and source is not None and destination is not None:
            if source_id not in changed:
                source = changed[source_id] = copy(source)
            if destination_id not in changed:
                destination = changed[destination_id] = copy(destination)
            _move(order.units, source, destination, transfer)
        transfers.append(transfer)
    return transfers, changed


def refusal(  # noqa: PLR0911 (a list of reasons reads best as one)
    order: Order, source: WalletState | None, destination: WalletState | None
) -> FailureReason | None:
    """The first reason, in the order of FailureReason, why the transfer cannot be made; None when it can."""
    if order.request.source_wallet_id == order.request.destination_wallet_id:
        return FailureReason.SAME_WALLET
    if source is None or destination is None:
        return FailureReason.WALLET_NOT_FOUND
    if not (source.is_active and destination.is_active):
        return FailureReason.WALLET_FROZEN
    if not source.currency == destination.currency == order.request.currency:
        return FailureReason.CURRENCY_MISMATCH
    units_min = -UNITS_MAX if source.is_world else 0
    if source.units - order.units < units_min:
        return FailureReason.BALANCE_OVERFLOW if source.is_world else FailureReason.INSUFFICIENT_FUNDS
    if destination.units + order.units > UNITS_MAX:
        return FailureReason.BALANCE_OVERFLOW
    return None


def _move(units: int, source: WalletState, destination: WalletState, transfer: Transfer) -> None:
    source.units -= units
    source.version += 1
    destination.units += units
    destination.version += 1
    transfer.source_units, transfer.source_version = source.units, source.version
    transfer.destination_units, transfer.destination_version = destination.units, destination.version
