"""Wallets and their entries."""

from collections.abc import Mapping
from datetime import datetime
from typing import Unpack

from hfts_client.amounts import AmountLike, amount_text
from hfts_client.answers import read
from hfts_client.api import Api, item_path, target
from hfts_client.effects import Emit, Operation, Stream
from hfts_client.filters import Filters, query_of
from hfts_client.models import Balance, Entry, EntryPage, Id, Wallet, WalletList
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
