"""The rules of a transfer: a pure decision of each order, in turn, against the wallets as they stand by then."""

from collections.abc import Mapping, Sequence
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
        if reason is None and source is not None and destination is not None:
            source = changed[source_id] = _after(source, -order.units)
            destination = changed[destination_id] = _after(destination, order.units)
        else:
            source = destination = None
        transfers.append(
            Transfer(
                transfer_id=request.transfer_id,
                source_wallet_id=source_id,
                destination_wallet_id=destination_id,
                units=order.units,
                currency=request.currency,
                reason=reason,
                source_units=source.units if source else None,
                source_version=source.version if source else None,
                destination_units=destination.units if destination else None,
                destination_version=destination.version if destination else None,
                requested_at=request.requested_at,
                completed_at=completed_at,
                reference=request.reference,
                metadata=request.metadata,
                request_partition=order.partition,
                request_offset=order.offset,
            )
        )
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
        is_closed = source.is_closed or destination.is_closed
        return FailureReason.WALLET_CLOSED if is_closed else FailureReason.WALLET_FROZEN
    if not source.currency == destination.currency == order.request.currency:
        return FailureReason.CURRENCY_MISMATCH
    units_min = -UNITS_MAX if source.is_world else 0
    if source.units - order.units < units_min:
        return FailureReason.BALANCE_OVERFLOW if source.is_world else FailureReason.INSUFFICIENT_FUNDS
    if destination.units + order.units > UNITS_MAX:
        return FailureReason.BALANCE_OVERFLOW
    return None


def _after(state: WalletState, units: int) -> WalletState:
    return WalletState(state.currency, state.is_world, state.is_active, state.units + units, state.version + 1)
