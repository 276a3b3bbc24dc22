"""What is left of transfers that others draw on, and of the limits of wallets, while a batch is decided."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from schemas.codes import FailureReason
from schemas.holds import hold_wallet_id
from schemas.transfers import CAPTURE, DRAWS, HOLD, REVERSAL, TransferRequest
from sinks.ledger.types import Facts, Order, Parent, Transfer, WalletState


class Tally:
    """Counts along as a batch is decided. ``made`` are the transfers of the batch so far, which may be drawn on, too.

    Looked at only for orders that are no ordinary transfers, or out of a wallet that is no ordinary one.
    """

    def __init__(self, facts: Facts, made: Sequence[Transfer], now: datetime) -> None:
        self._facts = facts
        self._made = made
        self._now = now
        self._indexed = 0
        self._parents: dict[str, Parent] = {}
        self._left: dict[str, int] = {}
        self._spent: dict[str, int] = {}

    def refusal(self, order: Order, source: WalletState) -> FailureReason | None:
        """Why it may not draw on its parent, or is beyond a limit of its source; None when neither."""
        request = order.request
        if request.kind == HOLD and request.expires_at is not None and request.expires_at <= self._now:
            return FailureReason.HOLD_EXPIRED
        if request.parent_id is not None:
            return self._refusal_to_draw(order, request.parent_id)
        if source.terms.transfer_max is not None and order.units > source.terms.transfer_max:
            return FailureReason.LIMIT_EXCEEDED
        if source.terms.day_max is not None and self._spent_by(request) + order.units > source.terms.day_max:
            return FailureReason.LIMIT_EXCEEDED
        return None

    def count(self, order: Order, source: WalletState) -> None:
        """The order is completed."""
        request = order.request
        if request.parent_id is not None:
            self._left[request.parent_id] -= order.units
        elif source.terms.day_max is not None:
            self._spent[request.source_wallet_id] = self._spent_by(request) + order.units

    def _refusal_to_draw(self, order: Order, parent_id: str) -> FailureReason | None:
        parent = self._parent(parent_id)
        if parent is None or not fits(order.request, parent):
            return FailureReason.PARENT_NOT_FOUND
        if order.request.kind == CAPTURE and parent.expires_at is not None and parent.expires_at <= self._now:
            return FailureReason.HOLD_EXPIRED
        if order.units > self._left.setdefault(parent_id, parent.units_left):
            return FailureReason.AMOUNT_EXCEEDS_REMAINING
        return None

    def _parent(self, parent_id: str) -> Parent | None:
        known = self._facts.parents.get(parent_id)
        if known is not None:
            return known
        self._parents |= parents_among(self._made[self._indexed :])
        self._indexed = len(self._made)
        return self._parents.get(parent_id)

    def _spent_by(self, request: TransferRequest) -> int:
        wallet_id = request.source_wallet_id
        spent = self._spent.get(wallet_id)
        return self._facts.spent[wallet_id] if spent is None else spent


def fits(request: TransferRequest, parent: Parent) -> bool:
    """Whether a request may draw on this parent, as to what both are and the wallets they name."""
    if request.source_wallet_id != parent.destination_wallet_id:
        return False
    if request.kind != REVERSAL:
        return parent.kind == HOLD and (
            request.kind == CAPTURE or request.destination_wallet_id == parent.source_wallet_id
        )
    if parent.kind is None:
        return request.destination_wallet_id == parent.source_wallet_id
    # What was captured goes back to the wallet that it was held of, and is available there.
    return parent.kind == CAPTURE and hold_wallet_id(request.destination_wallet_id) == parent.source_wallet_id


def parents_among(transfers: Sequence[Transfer]) -> Mapping[str, Parent]:
    """Those that may be drawn on, by id, with nothing drawn yet."""
    return {
        t.transfer_id: Parent(t.kind, t.source_wallet_id, t.destination_wallet_id, t.units, t.expires_at)
        for t in transfers
        if t.reason is None
    }


def fits_wallets(kind: str | None, source: WalletState, destination: WalletState) -> bool:
    """Whether money goes in and out of hold wallets only as it may: in by a hold, out by a capture or a void."""
    out_of_hold = kind in DRAWS and kind != REVERSAL
    return source.terms.is_hold == out_of_hold and destination.terms.is_hold == (kind == HOLD)
