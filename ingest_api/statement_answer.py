"""The answer with a statement: read stretch by stretch, and sent while it is read."""

import asyncio
from collections.abc import AsyncIterator

import structlog
from starlette.background import BackgroundTask
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ingest_api.disconnects import left
from ingest_api.draining import Draining
from ingest_api.in_progress import IN_PROGRESS_KEY, InProgress
from ingest_api.statement_forms import Form, Frame
from ingest_api.tokens import Caller
from schemas.http import Entry
from schemas.money import format_units, parse_units
from sinks.directory.wallets import EntryRow, Wallets

STRETCH = 500
"""Entries that are read, held and sent at once: some 150 KB."""

CLIENT_TIMEOUT_S = 60.0
"""How long a client may take to read one stretch."""

_log = structlog.get_logger(__name__)


class StatementError(RuntimeError):
    """Entries do not follow one another. The statement is broken off, for it would not add up."""


class StatementAnswer(Response):
    """Sends the statement of ``frame`` in a form."""

    background: BackgroundTask | None = None

    def __init__(self, wallets: Wallets, frame: Frame, form: Form, caller: Caller, draining: Draining) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "Vary": "Accept", "Content-Type": form.media_type})
        del self.headers["content-length"]
        if form.media_type.startswith("text/csv"):
            self.headers["Content-Disposition"] = f'attachment; filename="statement-{frame.wallet_id}.csv"'
        self._wallets = wallets
        self._frame = frame
        self._form = form
        self._caller = caller
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer. Raises ProblemError (429, 503) if too much is in progress, DatabaseAwayError and StatementError."""
        in_progress: InProgress = scope[IN_PROGRESS_KEY]
        with in_progress.batch(self._caller.user_id):
            gone = asyncio.create_task(left(receive), name="statement-disconnect")
            try:
                await self._send_all(send, gone)
            except TimeoutError:
                _log.info("http.statement_left", caller=self._caller.user_id)
            finally:
                gone.cancel()
                await asyncio.wait({gone})

    async def _send_all(self, send: Send, gone: "asyncio.Task[None]") -> None:
        frame, form = self._frame, self._form
        closing, waiting, has_begun = frame.opening_balance, form.head(frame), False
        async for rows in read_entries(self._wallets, frame):
            closing = rows[-1].balance
            waiting += form.entries([Entry.model_validate(row) for row in rows])
            if not has_begun:  # once something has been read: until then it can be refused
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                has_begun = True
            async with self._draining.until(asyncio.get_running_loop().time() + CLIENT_TIMEOUT_S):
                await send({"type": "http.response.body", "body": waiting, "more_body": True})
            if gone.done():
                return
            waiting = b""
        if not has_begun:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": waiting + form.tail(frame, closing)})


async def read_entries(wallets: Wallets, frame: Frame) -> AsyncIterator[list[EntryRow]]:
    """The entries behind the opening balance up to the closing one, in order, some at a time.

    Raises DatabaseAwayError, and StatementError where a balance does not follow from the one before.
    """
    units, reached = parse_units(frame.opening_balance), frame.opening_version
    while reached < frame.closing_version:
        last = min(frame.closing_version, reached + STRETCH)
        rows = await wallets.entries(frame.wallet_id, before_version=last + 1, count_max=last - reached)
        rows.reverse()
        for row in rows:
            reached += 1
            units += parse_units(row.amount)
            if (row.version, row.balance) != (reached, format_units(units)):
                raise StatementError(f"entry {row.version} of wallet {frame.wallet_id} does not follow")
        if reached != last:
            raise StatementError(f"entry {reached + 1} of wallet {frame.wallet_id} is missing")
        yield rows
