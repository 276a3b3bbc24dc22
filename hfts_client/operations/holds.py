"""Holds: money set aside, paid out in whole or in part, or given back; and reversals, which draw on a transfer.

What is submitted here is answered by a receipt; `transfers.wait` has the outcome.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Unpack

from hfts_client.amounts import AmountLike, amount_text
from hfts_client.answers import read
from hfts_client.api import Api, item_path, json_request, target, with_headers
from hfts_client.effects import Emit, Operation, Stream
from hfts_client.models import Hold, HoldPage, Id, Receipt
from hfts_client.orders import DrawFields, PartFields, id_text, moment_text, money_fields, new_key
from hfts_client.paths import HOLDS, REVERSALS, TRANSFERS

PAGE_SIZE = 100


def create(
    api: Api,
    *,
    source_wallet_id: Id,
    amount: AmountLike,
    currency: str,
    expires_at: datetime | None = None,
    reference: str | None = None,
    metadata: Mapping[str, str] | None = None,
    idempotency_key: str | None = None,
) -> Operation[Receipt]:
    """Set money of a wallet aside; the receipt's ``transfer_id`` is the hold's id.

    What is left at ``expires_at`` goes back by itself.
    """
    body = {"source_wallet_id": id_text(source_wallet_id), **money_fields(amount, currency, reference, metadata)}
    if expires_at is not None:
        body["expires_at"] = moment_text(expires_at)
    return (yield from _submit(api, HOLDS, body, idempotency_key))


def capture(api: Api, hold_id: Id, *, destination_wallet_id: Id, **fields: Unpack[DrawFields]) -> Operation[Receipt]:
    """Pay out of a hold: all that is left of it, or an amount, as often as something is left."""
    body = {"destination_wallet_id": id_text(destination_wallet_id)}
    return (yield from _draw(api, item_path(HOLDS, hold_id, "capture"), body, **fields))


def void(api: Api, hold_id: Id, **fields: Unpack[DrawFields]) -> Operation[Receipt]:
    """Make what is held available again: all that is left of it, or an amount."""
    return (yield from _draw(api, item_path(HOLDS, hold_id, "void"), {}, **fields))


def reverse(api: Api, transfer_id: Id, **fields: Unpack[DrawFields]) -> Operation[Receipt]:
    """Send back what a wallet has received by a transfer: all that is left of it, or an amount."""
    return (yield from _draw(api, item_path(TRANSFERS, transfer_id, "reversals"), {}, **fields))


def reverse_by_reference(api: Api, wallet_id: Id, reference: str, **fields: Unpack[PartFields]) -> Operation[Receipt]:
    """Likewise, what the one transfer with this reference has brought to the wallet; the reversal has it, too.

    Raises ConflictError with the code `reference_not_unique` where there are several.
    """
    body = {"wallet_id": id_text(wallet_id)}
    return (yield from _draw(api, REVERSALS, body, reference=reference, **fields))


def retrieve(api: Api, hold_id: Id) -> Operation[Hold]:
    """A hold and what has drawn on it. There is none until its outcome is COMPLETED or FAILED."""
    return read((yield from api.get(item_path(HOLDS, hold_id))), Hold)


def list_all(api: Api, wallet_id: Id, *, only_open: bool = False, page_size: int = PAGE_SIZE) -> Stream[Hold]:
    """A wallet's holds, the newest first, without what has drawn on them."""
    starting_after: int | None = None
    while True:
        path = target(
            HOLDS,
            wallet_id=id_text(wallet_id),
            limit=page_size,
            open="true" if only_open else None,
            starting_after=starting_after,
        )
        page = read((yield from api.get(path)), HoldPage)
        for hold in page.data:
            yield Emit(hold)
        starting_after = page.next_cursor or (page.data[-1].version if page.data else None)
        if not page.has_more or starting_after is None:
            return


def _draw(
    api: Api,
    path: str,
    body: dict[str, Any],
    *,
    amount: AmountLike | None = None,
    reference: str | None = None,
    metadata: Mapping[str, str] | None = None,
    idempotency_key: str | None = None,
) -> Operation[Receipt]:
    if amount is not None:
        body["amount"] = amount_text(amount)
    if reference is not None:
        body["reference"] = reference
    if metadata is not None:
        body["metadata"] = dict(metadata)
    return (yield from _submit(api, path, body, idempotency_key))


def _submit(api: Api, path: str, body: dict[str, Any], key: str | None) -> Operation[Receipt]:
    key = new_key() if key is None else key
    request = with_headers(json_request("POST", path, body, is_repeatable=True), {"Idempotency-Key": key})
    return read((yield from api.call(request)), Receipt)
