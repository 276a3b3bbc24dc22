"""The last reconciliation, for Prometheus and the dashboard: `hfts reconcile` leaves a row when it has ended."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson
import structlog
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ops.background import pause
from ops.monitor.watching import watching
from sinks.directory.database import Database
from sinks.errors import DatabaseAwayError
from sinks.postgres.statements import read_statement

INTERVAL_S = 15.0

_RUN_AFTER = read_statement(__file__, "run_after")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """A reconciliation that came to its end. ``report`` is the object that `hfts reconcile --json` prints."""

    run_id: int
    started_at: datetime
    finished_at: datetime
    passed: bool
    report: dict[str, Any]


class ReconcileWatch:
    """Holds the newest run that was found."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.last: Run | None = None

    async def run(self, ending: asyncio.Event) -> None:
        """Look again and again until the end is asked for."""
        while not ending.is_set():
            try:
                await self.look()
            except (DatabaseAwayError, asyncpg.PostgresError) as error:
                _log.warning("reconcile.unreadable", error=f"{type(error).__name__}: {error}")
            await pause(ending, INTERVAL_S)

    async def look(self) -> None:
        """Find out whether there is a newer one. Raises DatabaseAwayError and asyncpg.PostgresError."""
        row = await self._database.row(_RUN_AFTER, 0 if self.last is None else self.last.run_id)
        if row is not None:
            values = dict(row)
            self.last = Run(**values | {"report": orjson.loads(values["report"])})


class ReconcileMetrics(Collector):
    """Made anew at each scrape; none before the first run."""

    def __init__(self, last: Callable[[], Run | None]) -> None:
        self._last = last

    def collect(self) -> Iterable[Metric]:
        """The verdict and its time. What was found stays true, so it is told also while the database is away."""
        run = self._last()
        if run is None:
            return
        yield GaugeMetricFamily("hfts_reconcile_passed", "1 if the last `hfts reconcile` found no fault.", run.passed)
        yield GaugeMetricFamily(
            "hfts_reconcile_timestamp_seconds",
            "When the last `hfts reconcile` ended, in seconds since 1970.",
            run.finished_at.timestamp(),
        )

    def describe(self) -> Iterable[Metric]:
        """Nothing: before the first run there is none."""
        return []


@asynccontextmanager
async def reconcile_watched(database: Database) -> AsyncIterator[ReconcileWatch]:
    """Watch, and tell Prometheus, until the end of the block."""
    watch = ReconcileWatch(database)
    metrics = ReconcileMetrics(lambda: watch.last)
    async with watching(watch.run, "reconcile-watch", metrics):
        yield watch
