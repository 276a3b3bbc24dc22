"""What would become of a request now: the rules on what is committed, and nothing written."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg

from schemas.money import parse_units
from schemas.transfers import TransferRequest
from sinks.ledger.facts import read_facts
from sinks.ledger.rules import decide
from sinks.ledger.transaction import read_wallets, wallets_of
from sinks.ledger.types import Order, Transfer

Rows = Callable[..., Awaitable[Sequence[asyncpg.Record]]]
"""All rows of a statement with these values."""


class _Reader:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def fetch(self, sql: str, *values: Any) -> Sequence[asyncpg.Record]:
        return await self._rows(sql, *values)


class Rehearsal:
    """Decides as the workers do, by the same function. Whatever is on its way to them is not counted."""

    def __init__(self, rows: Rows) -> None:
        self._reader = _Reader(rows)

    async def verdict(self, request: TransferRequest) -> Transfer:
        """The row that the request would become, were it alone. Raises what the rows' source raises."""
        order = Order(request, parse_units(request.amount), 0, 0)
        now = datetime.now(UTC)
        wallets = await read_wallets(self._reader, wallets_of([order]))
        facts = await read_facts(self._reader, [order], wallets, now)
        [transfer], _ = decide([order], wallets, now, facts)
        return transfer
