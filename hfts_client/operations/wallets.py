"""Wallets and their entries."""

from collections.abc import Mapping
from datetime import datetime
from typing import Unpack

from hfts_client.amounts import AmountLike, amount_text
from hfts_client.answers import read
from hfts_client.api import Api, item_path, target
from hfts_client.effects import Emit, Operation, Request, Stream
from hfts_client.filters import Filters, query_of
from hfts_client.models import Balance, Entry, EntryPage, Id, PendingRequests, Statement, Wallet, WalletList
from hfts_client.orders import id_text, moment_text
from hfts_client.paths import WALLETS

PAGE_SIZE = 100


def create(api: Api, currency: str, *, user_id: Id | None = None) -> Operation[Wallet]:
    """Open a wallet, one for an account and currency: the caller's, or, as an admin, another's."""
    body = {"currency": currency} if user_id is None else {"currency": currency, "user_id": id_text(user_id)}
    return read((yield from api.send("POST", WALLETS, body)), Wallet)


def retrieve(api: Api, wallet_id: Id) -> Operation[Wallet]:
    """A wallet and its balance."""
    return read((yield from api.get(item_path(WALLETS, wallet_id))), Wallet)


def list_all(api: Api) -> Operation[list[Wallet]]:
    """The caller's wallets, in order of currency."""
    return read((yield from api.get(WALLETS)), WalletList).data


def balance(api: Api, wallet_id: Id, *, at: datetime | None = None, version: int | None = None) -> Operation[Balance]:
    """The balance now, at a moment in the past, or after so many entries."""
    moment = None if at is None else moment_text(at)
    path = target(item_path(WALLETS, wallet_id, "balance"), at=moment, version=version)
    return read((yield from api.get(path)), Balance)


def statement(
    api: Api, wallet_id: Id, *, start: datetime | None = None, end: datetime | None = None
) -> Operation[Statement]:
    """All entries from one moment (the very beginning) to before another (now), and the balances around them.

    It is read whole, and always adds up. One of very many entries is read in pieces by `entries`.
    """
    begin, finish = (None if moment is None else moment_text(moment) for moment in (start, end))
    path = target(item_path(WALLETS, wallet_id, "statement"), **{"format": "json", "from": begin, "to": finish})
    return read((yield from api.get(path)), Statement)


def pending(api: Api, wallet_id: Id) -> Operation[PendingRequests]:
    """How many requests to pay out of the wallet are accepted and not decided yet."""
    return read((yield from api.get(item_path(WALLETS, wallet_id, "pending"))), PendingRequests)


def freeze(api: Api, wallet_id: Id) -> Operation[Wallet]:
    """Let nothing move in or out (admins only): whatever is decided from now on fails with `wallet_frozen`."""
    return (yield from _change(api, wallet_id, "freeze"))


def unfreeze(api: Api, wallet_id: Id) -> Operation[Wallet]:
    """Let a frozen wallet be used again (admins only)."""
    return (yield from _change(api, wallet_id, "unfreeze"))


def close(api: Api, wallet_id: Id) -> Operation[Wallet]:
    """Close an empty wallet. Raises ConflictError with the code `wallet_not_empty` while it holds anything."""
    return (yield from _change(api, wallet_id, "close"))


def reopen(api: Api, wallet_id: Id) -> Operation[Wallet]:
    """Let a closed wallet be used again (admins only)."""
    return (yield from _change(api, wallet_id, "reopen"))


def set_limits(
    api: Api, wallet_id: Id, *, transfer_max: AmountLike | None = None, day_max: AmountLike | None = None
) -> Operation[Wallet]:
    """Bound what leaves a wallet, each transfer and a day's sum, both at once: None for no limit (admins only)."""
    limits = {"transfer_max": transfer_max, "day_max": day_max}
    body: Mapping[str, str | None] = {
        name: None if amount is None else amount_text(amount) for name, amount in limits.items()
    }
    path = item_path(WALLETS, wallet_id, "limits")
    return read((yield from api.send("PUT", path, body, is_repeatable=True)), Wallet)


def entries(
    api: Api,
    wallet_id: Id,
    *,
    starting_after: int | None = None,
    page_size: int = PAGE_SIZE,
    **filters: Unpack[Filters],
) -> Stream[Entry]:
    """A wallet's entries, the newest first, all of them: pages are read as they are needed.

    ``starting_after``: the ``version`` of the last entry that is known already.
    """
    path, query = item_path(WALLETS, wallet_id, "entries"), query_of(filters)
    while True:
        answer = yield from api.get(target(path, limit=page_size, starting_after=starting_after, **query))
        page = read(answer, EntryPage)
        for entry in page.data:
            yield Emit(entry)
        starting_after = page.next_cursor or (page.data[-1].version if page.data else None)
        if not page.has_more or starting_after is None:
            return


def _change(api: Api, wallet_id: Id, change: str) -> Operation[Wallet]:
    """Done twice, each of them is done once."""
    return read((yield from api.call(Request("POST", item_path(WALLETS, wallet_id, change)))), Wallet)
