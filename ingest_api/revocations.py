"""What ended access before it expired (RFC 7009 section 2.1): read again and again, so that a request need not ask the
database.

A disabled account, another role, another password, an ended session and a revoked key count in every API process
`INTERVAL_S` after they were written, and the time that reading takes. While the database is away, a process goes by
what it knew, and nothing new can be revoked.
"""

import asyncio
from collections import OrderedDict
from typing import Protocol

import structlog

from ingest_api.tokens import Caller
from sinks.errors import DatabaseAwayError

INTERVAL_S = 2.0

MARGIN_S = 60.0
"""What is read reaches so much further back than access lives: for transactions that took long, and clocks."""

READ_MAX = 10_000
"""In one reading. Beyond, the oldest wait for access to expire, in a process that has not read them before."""

REMEMBERED_MAX = 100_000

_log = structlog.get_logger(__name__)


class Recent(Protocol):
    """Where revocations are written."""

    async def within(self, window_s: float, count_max: int) -> list[tuple[str, int]]:
        """Each subject of the last ``window_s``, and from which epoch on its access counts; the newest first."""


class Revocations:
    """What this process knows of it. Access lives for ``access_ttl_s`` without being asked about."""

    def __init__(self, recent: Recent, access_ttl_s: float) -> None:
        self._recent = recent
        self._window_s = access_ttl_s + MARGIN_S
        self._epochs: OrderedDict[str, int] = OrderedDict()
        self._is_away = False

    def covers(self, caller: Caller) -> bool:
        """Whether this access is over."""
        epochs = self._epochs
        return epochs.get(caller.user_id, 0) > caller.epoch or epochs.get(caller.login_id, 0) > caller.epoch

    async def read(self) -> None:
        """Learn what is new. Raises DatabaseAwayError."""
        found = await self._recent.within(self._window_s, READ_MAX)
        for subject, epoch in reversed(found):
            self._epochs[subject] = epoch
            self._epochs.move_to_end(subject)
        while len(self._epochs) > REMEMBERED_MAX:
            self._epochs.popitem(last=False)
        if len(found) == READ_MAX:
            _log.warning("revocations.too_many", read=READ_MAX)

    async def follow(self) -> None:
        """Read until cancelled. Tells once when the database goes away, and once when it is back."""
        while True:
            try:
                await self.read()
            except DatabaseAwayError:
                self._tell(is_away=True)
            except Exception:  # noqa: BLE001 (nobody else would hear of it, and the next reading may go well)
                _log.exception("revocations.fault")
            else:
                self._tell(is_away=False)
            await asyncio.sleep(INTERVAL_S)

    def _tell(self, *, is_away: bool) -> None:
        if is_away != self._is_away:
            self._is_away = is_away
            if is_away:
                _log.warning("revocations.unread", meaning="what is revoked from now on counts when PostgreSQL is back")
            else:
                _log.info("revocations.read_again")
