"""What the ledger knows of ids that clients have chosen: asked before they are published, and never waited for long.

Those who ask at the same time share a statement. The pipeline itself sees to it that an id stands for one transfer, so
without a database requests are published unasked: a repeat changes nothing, and other content becomes a dead letter.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from sinks.directory.transfers import StoredRequest
from sinks.errors import DatabaseAwayError

IDS_MAX = 500
"""In one statement."""

TIMEOUT_S = 0.25
"""A hundred times what the statement takes."""

PAUSE_S = 1.0
"""For so long nobody is asked when there was no answer."""

Find = Callable[[Sequence[str]], Awaitable[dict[str, StoredRequest]]]

_log = structlog.get_logger(__name__)


class KnownTransfers:
    """``find`` gives what is stored of some ids, or raises DatabaseAwayError."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self._waiting: dict[str, asyncio.Future[StoredRequest | None]] = {}
        self._asking: asyncio.Task[None] | None = None
        self._silent_until_s = 0.0

    async def find_all(self, transfer_ids: Sequence[str]) -> dict[str, StoredRequest]:
        """What is stored of these; what cannot be found out within a quarter of a second is left out."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._silent_until_s:
            return {}
        futures = [self._waiting.setdefault(transfer_id, loop.create_future()) for transfer_id in transfer_ids]
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask(), name="known-transfers")
        done, pending = await asyncio.wait(set(futures), timeout=TIMEOUT_S)
        if pending:
            self._give_up("no answer in time")
        return {found.transfer_id: found for future in done if (found := future.result()) is not None}

    async def _ask(self) -> None:
        try:
            while self._waiting:
                asked = dict(list(self._waiting.items())[:IDS_MAX])
                for transfer_id in asked:
                    del self._waiting[transfer_id]
                found: dict[str, StoredRequest] = {}
                try:
                    found = await self._find(list(asked))
                except DatabaseAwayError as error:
                    self._give_up(str(error))
                finally:
                    for transfer_id, future in asked.items():
                        future.set_result(found.get(transfer_id))
        finally:
            self._asking = None

    def _give_up(self, error: str) -> None:
        self._silent_until_s = asyncio.get_running_loop().time() + PAUSE_S
        _log.warning("transfers.unasked", error=error, pause_s=PAUSE_S)
