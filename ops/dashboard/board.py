"""What the dashboard's routes work with, open for as long as the API runs."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from fastapi import Request

from ingest_api.extension import beside_of
from ingest_api.problems import ProblemError
from ops.background import going_on
from ops.dashboard.follower import OutcomeFollower
from ops.dashboard.history import History
from ops.dashboard.pulse import Pulse
from ops.dashboard.streams import Streams
from ops.monitor.last_reconcile import reconcile_watched
from ops.monitor.stream_watch import stream_watched
from ops.monitor.watch import lag_watched
from ops.monitor.worker_watch import workers_watched
from schemas.codes import ProblemCode
from schemas.settings import Settings
from sinks.directory.database import Database

ERRANDS_MAX = 4
"""Requests that open connections of their own to Kafka: dead letters and transfers."""

RETRY_AFTER_S = 2


@dataclass(slots=True)
class Errands:
    """Counts requests that are costly, and turns away those that are too many."""

    _under_way: int = 0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Such a request is under way. Raises ProblemError (503)."""
        if self._under_way >= ERRANDS_MAX:
            headers = {"Retry-After": str(RETRY_AFTER_S)}
            raise ProblemError(503, ProblemCode.OVERLOADED, "Too many look-ups at once.", headers=headers)
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What a route may use."""

    settings: Settings
    database: Database
    history: History
    streams: Streams
    pulse: Pulse
    errands: Errands = field(default_factory=Errands)


@asynccontextmanager
async def open_board(settings: Settings) -> AsyncIterator[Board]:
    """Watch lag, workers, the last reconciliation, and topic beside ledger; the rest only while a page is open.

    No server has to be up yet.
    """
    history, streams = History(), Streams()
    async with AsyncExitStack() as stack:
        database = await Database.open(settings)
        stack.push_async_callback(database.close)
        lag = await stack.enter_async_context(lag_watched(settings, history.add))
        workers = await stack.enter_async_context(workers_watched(database))
        reconcile = await stack.enter_async_context(reconcile_watched(database))
        await stack.enter_async_context(stream_watched(settings, database))
        outcomes = OutcomeFollower(settings, streams)
        pulse = Pulse(
            lag=lag, history=history, outcomes=outcomes, workers=workers, reconcile=reconcile, streams=streams
        )
        for name, running in (("outcomes", outcomes.run()), ("pulse", pulse.run())):
            await stack.enter_async_context(going_on(running, f"dashboard-{name}"))
        yield Board(settings=settings, database=database, history=history, streams=streams, pulse=pulse)


def board_of(request: Request) -> Board:
    """The board of the app that serves this request."""
    board = beside_of(request)
    assert isinstance(board, Board)  # noqa: S101 (these routes are added together with it)
    return board
