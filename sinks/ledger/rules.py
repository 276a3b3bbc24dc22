"""The rules of a transfer: a pure decision of each order, in turn, against the wallets as they stand by then."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from schemas.codes import FailureReason
from schemas.money import UNITS_MAX
from schemas.transfers import VOID
from sinks.ledger.tally import Tally, fits_wallets
from sinks.ledger.types import NO_FACTS, ORDINARY, Facts, Order, Transfer, WalletState


def decide(
    orders: Sequence[Order],
    wallets: Mapping[str, WalletState],
    completed_at: datetime,
    facts: Facts = NO_FACTS,
) -> tuple[list[Transfer], dict[str, WalletState]]:
    """A transfer for each order, in their order, and the wallets that these change, by id.

    ``wallets`` holds every wallet named that exists, ``facts`` every transfer drawn on that was completed before; both
    are left as they are.
    """
    transfers: list[Transfer] = []
    changed: dict[str, WalletState] = {}
    tally = Tally(facts, transfers, completed_at)
    for order in orders:
        request = order.request
        source_id, destination_id = request.source_wallet_id, request.destination_wallet_id
        source = changed.get(source_id) or wallets.get(source_id)
        destination = changed.get(destination_id) or wallets.get(destination_id)
        reason = refusal(order, source, destination, tally)
        if reason is None and source is not None and destination is not None:
            if request.kind is not None or source.terms is not ORDINARY:
                tally.count(order, source)
            source = changed[source_id] = _after(source, -order.units)
            destination = changed[destination_id] = _after(destination, order.units)
        else:
            source = destination = None
        transfer = Transfer(
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
        if request.kind is not None:
            transfer.kind, transfer.parent_id, transfer.expires_at = request.kind, request.parent_id, request.expires_at
        transfers.append(transfer)
    return transfers, changed


def refusal(  # noqa: PLR0911 (a list of reasons reads best as one)
    order: Order, source: WalletState | None, destination: WalletState | None, tally: Tally
) -> FailureReason | None:
    """The first reason, in the order of FailureReason, why the transfer cannot be made; None when it can.

    A void goes through to a wallet that is not active: what was held of it has nowhere else to go.
    """
    request = order.request
    if request.source_wallet_id == request.destination_wallet_id:
        return FailureReason.SAME_WALLET
    if source is None or destination is None:
        return FailureReason.WALLET_NOT_FOUND
    is_plain = request.kind is None and source.terms is ORDINARY and destination.terms is ORDINARY
    if not is_plain and not fits_wallets(request.kind, source, destination):
        return FailureReason.WALLET_NOT_FOUND
    if not (source.is_active and (destination.is_active or request.kind == VOID)):
        is_closed = source.is_closed or destination.is_closed
        return FailureReason.WALLET_CLOSED if is_closed else FailureReason.WALLET_FROZEN
    if not source.currency == destination.currency == request.currency:
        return FailureReason.CURRENCY_MISMATCH
    if not is_plain and (reason := tally.refusal(order, source)) is not None:
        return reason
    units_min = -UNITS_MAX if source.is_world else 0
    if source.units - order.units < units_min:
        return FailureReason.BALANCE_OVERFLOW if source.is_world else FailureReason.INSUFFICIENT_FUNDS
    if destination.units + order.units > UNITS_MAX:
        return FailureReason.BALANCE_OVERFLOW
    return None


def _after(state: WalletState, units: int) -> WalletState:
    """The wallet one leg later."""
    return WalletState(
        state.currency,
        state.is_world,
        state.is_active,
        state.units + units,
        state.version + 1,
        state.is_closed,
        state.terms,
    )
