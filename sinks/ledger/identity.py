"""One transfer_id, one transfer: which orders are new, which repeat a transfer, which reuse its id for another."""

from collections.abc import Mapping, Sequence

import msgspec

from schemas.codes import DeadLetterCause
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
            elif not _repeats_row(order, row):
                result.refused.append(_reused(order))
            continue
        first = first_by_id.setdefault(transfer_id, order)
        if first is order:
            result.fresh.append(order)
        elif not _repeats_order(order, first):
            result.refused.append(_reused(order))
    return result


def _reused(order: Order) -> Refused:
    return Refused(order, DeadLetterCause.TRANSFER_ID_REUSED, "this transfer_id belongs to a transfer of other content")


# The time of the request is not part of its content: a retry has another.


def _repeats_row(order: Order, row: Transfer) -> bool:
    request = order.request
    return (
        request.source_wallet_id == row.source_wallet_id
        and request.destination_wallet_id == row.destination_wallet_id
        and order.units == row.units
        and request.currency == row.currency
        and request.reference == row.reference
        and request.metadata == row.metadata
    )


def _repeats_order(order: Order, first: Order) -> bool:
    one, other = order.request, first.request
    return (
        one.source_wallet_id == other.source_wallet_id
        and one.destination_wallet_id == other.destination_wallet_id
        and order.units == first.units
        and one.currency == other.currency
        and one.reference == other.reference
        and one.metadata == other.metadata
    )
