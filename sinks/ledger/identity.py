"""One transfer_id, one transfer: which orders are new, which repeat a transfer, which reuse its id for another."""

from collections.abc import Mapping, Sequence

import msgspec

from schemas.codes import DeadLetterCause
from schemas.transfers import TransferRequest
from sinks.ledger.types import Order, Refused, Transfer


class Sorted(msgspec.Struct):
    """Orders sorted by what the ledger knows of their ids."""

    fresh: list[Order]
    own: list[Transfer]
    refused: list[Refused]


def sort_orders(orders: Sequence[Order], stored: Mapping[str, Transfer]) -> Sorted:
    """Sort orders by the rows ``stored`` under their ids and by each other.

    A row that the very same record made is an ``own`` one; an order that repeats a row, or an order before it in the
    batch, with the same content is dropped; with other content it is refused.
    """
    result = Sorted([], [], [])
    first_by_id: dict[str, Order] = {}
    for order in orders:
        transfer_id = order.request.transfer_id
        row = stored.get(transfer_id)
        if row is not None:
            if row.request_offset == order.offset and row.request_partition == order.partition:
                result.own.append(row)
            elif _content(order.request, order.units) != _content(row, row.units):
                result.refused.append(_reused(order))
            continue
        first = first_by_id.setdefault(transfer_id, order)
        if first is order:
            result.fresh.append(order)
        elif _content(order.request, order.units) != _content(first.request, first.units):
            result.refused.append(_reused(order))
    return result


def _reused(order: Order) -> Refused:
    return Refused(order, DeadLetterCause.TRANSFER_ID_REUSED, "this transfer_id belongs to a transfer of other content")


def _content(said: TransferRequest | Transfer, units: int) -> tuple[object, ...]:
    """What must be the same in a repeat. The time of the request is not: a retry has another."""
    return (
        said.source_wallet_id,
        said.destination_wallet_id,
        units,
        said.currency,
        said.reference,
        said.metadata,
        said.kind,
        said.parent_id,
        said.expires_at,
    )
