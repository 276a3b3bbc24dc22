"""What orders are decided on beside the wallets, read where there is anything to read."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from schemas.transfers import HOLD, TransferRequest
from sinks.ledger import statements
from sinks.ledger.spending import Spending, first_minute
from sinks.ledger.tally import parents_among
from sinks.ledger.types import NO_FACTS, ORDINARY, Facts, Order, Parent, Transfer, WalletState
from sinks.postgres.pool import Connection


class Reader(Protocol):
    """Runs statements that read: a connection, or what stands for one."""

    async def fetch(self, sql: str, /, *values: Any) -> Sequence[Any]:
        """All rows."""


def unusual(orders: Sequence[Order]) -> list[TransferRequest]:
    """What those ask for that are no ordinary transfers: nearly always there are none."""
    return [order.request for order in orders if order.request.kind is not None]


def parents_named(requests: Iterable[TransferRequest]) -> set[str]:
    """The ids of what these draw on."""
    return {request.parent_id for request in requests if request.parent_id is not None}


async def make_hold_wallets(connection: Connection, parties: Iterable[TransferRequest | Transfer]) -> None:
    """Make the hold wallets that holds among these name and that do not exist."""
    named = {party.destination_wallet_id: party.source_wallet_id for party in parties if party.kind == HOLD}
    if named:
        await connection.execute(statements.MAKE_HOLD_WALLETS, list(named.values()), list(named))


async def read_parents(
    connection: Reader, parent_ids: Collection[str], aside: Collection[str] = ()
) -> dict[str, Parent]:
    """Those that are completed, as they are committed; ``aside`` are draws that are not counted."""
    rows = await connection.fetch(statements.PARENTS, list(parent_ids), list(aside))
    return {row["transfer_id"]: Parent(*list(row.values())[1:]) for row in rows}


async def read_spending(connection: Reader, wallet_ids: Collection[str], minute: int) -> dict[str, Spending]:
    """What has left each of these wallets from a minute on, as it is committed."""
    by_minute: dict[str, list[tuple[int, int]]] = {wallet_id: [] for wallet_id in wallet_ids}
    for wallet_id, its_minute, units in await connection.fetch(statements.SPENDING, list(wallet_ids), minute):
        by_minute[wallet_id].append((its_minute, units))
    return {wallet_id: Spending(found) for wallet_id, found in by_minute.items()}


async def read_facts(
    connection: Reader, orders: Sequence[Order], wallets: Mapping[str, WalletState], now: datetime
) -> Facts:
    """The facts as they are committed: after the wallets, which nobody may change meanwhile or which are checked."""
    parent_ids = parents_named(unusual(orders))
    payers = limited_payers([order.request for order in orders], wallets)
    if not parent_ids and not payers:
        return NO_FACTS
    minute = first_minute(now)
    parents = await read_parents(connection, parent_ids) if parent_ids else {}
    spending = await read_spending(connection, payers, minute) if payers else {}
    return Facts(parents, {wallet_id: found.since(minute) for wallet_id, found in spending.items()})


def limited_payers(requests: Iterable[TransferRequest], wallets: Mapping[str, WalletState]) -> set[str]:
    """Those of the wallets with a limit for the day that these would take money out of."""
    limited = {w for w, state in wallets.items() if state.terms is not ORDINARY and state.terms.day_max is not None}
    return {request.source_wallet_id for request in requests} & limited if limited else limited


def with_drawn(
    parents: Mapping[str, Parent], parent_ids: Collection[str], decided: Sequence[Transfer]
) -> dict[str, Parent]:
    """Parents as completed transfers leave them that were decided and may not be committed yet; ``parents`` were read
    without these.
    """
    found = {**parents_among([t for t in decided if t.transfer_id in parent_ids]), **parents}
    for transfer in decided:
        parent_id = transfer.parent_id or ""
        parent = found.get(parent_id)
        if parent is not None:
            found[parent_id] = msgspec.structs.replace(parent, units_left=parent.units_left - transfer.units)
    return found
