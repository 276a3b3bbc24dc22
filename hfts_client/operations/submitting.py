"""Transfers and deposits, and waiting for what becomes of them."""

import math
from collections.abc import Mapping
from typing import Literal, Unpack

import msgspec

from hfts_client.amounts import AmountLike
from hfts_client.answers import read
from hfts_client.api import Api, item_path, json_request, target, with_headers
from hfts_client.effects import Answer, Operation, Request, Sleep
from hfts_client.errors import OutcomePendingError
from hfts_client.models import AcceptedLine, Id, PendingTransfer, Receipt, Transfer, Verdict
from hfts_client.orders import NewTransfer, TransferFields, id_text, money_fields, new_key
from hfts_client.paths import DEPOSITS, TRANSFERS

WAIT_S = 30.0
POLL_S_MIN = 0.05
POLL_S_MAX = 1.0

_ACCEPTED = 202
_APPLIED = "preference-applied"


class _Known(msgspec.Struct, frozen=True):
    status: Literal["PENDING", "COMPLETED", "FAILED"]


def create(api: Api, wait: float | None, fields: TransferFields) -> Operation[Transfer | Receipt]:
    """Move money: a receipt, or the outcome where there is to be waited for it."""
    transfer = NewTransfer(**fields)
    request = json_request("POST", TRANSFERS, transfer.body(), is_repeatable=True)
    return (yield from _submit(api, request, transfer.idempotency_key, wait))


def deposit(
    api: Api,
    wait: float | None,
    *,
    wallet_id: Id,
    amount: AmountLike,
    currency: str,
    reference: str | None = None,
    metadata: Mapping[str, str] | None = None,
    idempotency_key: str | None = None,
) -> Operation[Transfer | Receipt]:
    """Bring money in: the same."""
    body = {"wallet_id": id_text(wallet_id), **money_fields(amount, currency, reference, metadata)}
    request = json_request("POST", DEPOSITS, body, is_repeatable=True)
    return (yield from _submit(api, request, new_key() if idempotency_key is None else idempotency_key, wait))


def retrieve(api: Api, transfer_id: Id) -> Operation[Transfer | PendingTransfer]:
    """What is known of a transfer. PENDING is known to the API process that has accepted it, and to whoever shows the
    ``location`` of the receipt: `wait` does."""
    return _transfer((yield from api.get(item_path(TRANSFERS, transfer_id))))


def dry_run(api: Api, **fields: Unpack[TransferFields]) -> Operation[Verdict]:
    """What would become of a transfer now, by the same rules. Nothing is sent to be done."""
    request = json_request("POST", target(TRANSFERS, dry_run="true"), NewTransfer(**fields).body(), is_repeatable=True)
    return read((yield from api.call(request)), Verdict)


def wait(api: Api, accepted: Receipt | AcceptedLine | str, *, seconds: float = WAIT_S) -> Operation[Transfer]:
    """The outcome of a transfer that was accepted: its receipt, its line of a batch, or its ``location``.

    Raises OutcomePendingError when the time is over, TransferRejectedError where the request was set aside.
    """
    location = accepted if isinstance(accepted, str) else accepted.location
    receipt = accepted if isinstance(accepted, Receipt) else None
    return (yield from _follow(api, location, receipt, api.retry.clock() + seconds))


def _submit(api: Api, request: Request, key: str | None, wait_s: float | None) -> Operation[Transfer | Receipt]:
    if key is not None:
        request = with_headers(request, {"Idempotency-Key": key})
    if wait_s is None:
        return read((yield from api.call(request)), Receipt)
    deadline_s = api.retry.clock() + wait_s
    answer = yield from api.call(_preferring(request, wait_s))
    if answer.status != _ACCEPTED:
        return read(answer, Transfer)
    receipt = read(answer, Receipt)
    return (yield from _follow(api, receipt.location, receipt, deadline_s))


def _follow(api: Api, location: str, receipt: Receipt | None, deadline_s: float) -> Operation[Transfer]:
    """Ask until there is an outcome: an API that waits is asked again at once, another one at growing intervals."""
    if not location.startswith(TRANSFERS + "/"):
        raise ValueError("a location is a path of this API, as a receipt has it")
    interval_s = POLL_S_MIN
    while True:
        left_s = max(0.0, deadline_s - api.retry.clock())
        answer = yield from api.call(_preferring(Request("GET", location), left_s))
        found = _transfer(answer)
        if isinstance(found, Transfer):
            return found
        left_s = deadline_s - api.retry.clock()
        if left_s <= 0:
            raise OutcomePendingError(location, receipt, answer.request_id)
        if _APPLIED not in answer.headers:
            yield Sleep(min(interval_s, left_s))
            interval_s = min(2 * interval_s, POLL_S_MAX)


def _preferring(request: Request, wait_s: float) -> Request:
    """The same, to be answered with the outcome if there is one in time (RFC 7240 section 4.3)."""
    seconds = math.ceil(wait_s)
    if seconds <= 0:
        return request
    return with_headers(request, {"Prefer": f"wait={seconds}"}, more_time_s=seconds)


def _transfer(answer: Answer) -> Transfer | PendingTransfer:
    is_pending = read(answer, _Known).status == "PENDING"
    return read(answer, PendingTransfer) if is_pending else read(answer, Transfer)
