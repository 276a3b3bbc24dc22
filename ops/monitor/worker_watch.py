"""The worker processes, as they last said of themselves, and how much each does a second."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson
import structlog

from ops.background import pause
from ops.monitor.watching import watching
from ops.monitor.worker_metrics import Counted, WorkerMetrics
from schemas.transfers import format_time
from sinks.directory.database import Database
from sinks.errors import DatabaseAwayError
from sinks.postgres.retry import describe
from sinks.postgres.statements import read_statement

INTERVAL_S = 5.0
"""As often as workers write."""

SILENT_S = 15.0
"""A worker that has said nothing for so long hangs, or is gone."""

WORKERS_MAX = 1_000

CONFLICTS = "version_conflicts"

_WORKERS = read_statement(__file__, "workers")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker process. ``assigned`` has the partitions of each agent, ``figures`` counts since its start."""

    worker_id: str
    agents: list[str]
    host: str
    pid: int
    version: str
    started_at: datetime
    seen_at: datetime
    unseen_s: float
    memory_bytes: int | None
    assigned: dict[str, list[int]]
    figures: dict[str, int]

    @property
    def is_live(self) -> bool:
        """Whether it has said something of late."""
        return self.unseen_s < SILENT_S


Rates = dict[str, float]
"""Each figure's growth a second."""


def rates_of(before: Worker | None, now: Worker, known: Rates) -> Rates:
    """Between two words of the same process; the ``known`` ones until it says something new."""
    if before is None or not now.is_live:
        return {}
    passed_s = (now.seen_at - before.seen_at).total_seconds()
    if passed_s <= 0:
        return known
    return {name: max(0.0, (count - before.figures.get(name, count)) / passed_s) for name, count in now.figures.items()}


class WorkerWatch:
    """Holds the workers that were seen last, and what they did a second."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._workers: dict[str, Worker] = {}
        self._rates: dict[str, Rates] = {}
        self._seen_at_s: float | None = None
        self.is_away = False

    async def run(self, ending: asyncio.Event) -> None:
        """Look again and again until the end is asked for. Each fault of the database is logged when it begins."""
        while not ending.is_set():
            try:
                await self.look()
                self.is_away = False
            except (DatabaseAwayError, asyncpg.PostgresError) as error:
                if not self.is_away:
                    _log.warning("workers.unreadable", error=describe(error.__cause__ or error))
                self.is_away = True
            await pause(ending, INTERVAL_S)

    @property
    def counted(self) -> Counted | None:
        """How many live and how many are silent; None before the first look."""
        if self._seen_at_s is None:
            return None
        live = sum(worker.is_live for worker in self._workers.values())
        return Counted(live, len(self._workers) - live, self._seen_at_s)

    async def look(self) -> None:
        """Read them. Raises DatabaseAwayError and asyncpg.PostgresError."""
        found = [_worker(row) for row in await self._database.rows(_WORKERS, WORKERS_MAX)]
        self._rates = {
            worker.worker_id: rates_of(
                self._workers.get(worker.worker_id), worker, self._rates.get(worker.worker_id, {})
            )
            for worker in found
        }
        self._workers = {worker.worker_id: worker for worker in found}
        self._seen_at_s = time.time()

    def as_json(self) -> dict[str, Any]:
        """All of them; counts are decimal text."""
        conflicts = [rates[CONFLICTS] for rates in self._rates.values() if CONFLICTS in rates]
        return {
            "is_away": self.is_away,
            "conflicts_per_s": round(sum(conflicts), 2) if conflicts else None,
            "live": sum(worker.is_live for worker in self._workers.values()),
            "rows": [_row_json(worker, self._rates[worker.worker_id]) for worker in self._workers.values()],
        }


def _worker(row: asyncpg.Record) -> Worker:
    values: dict[str, Any] = dict(row)
    return Worker(**values | {name: orjson.loads(values[name]) for name in ("assigned", "figures")})


def _row_json(worker: Worker, rates: Rates) -> dict[str, Any]:
    return {
        "worker_id": worker.worker_id,
        "agents": worker.agents,
        "host": worker.host,
        "pid": worker.pid,
        "version": worker.version,
        "started_at": format_time(worker.started_at),
        "seen_at": format_time(worker.seen_at),
        "unseen_s": round(worker.unseen_s, 1),
        "is_live": worker.is_live,
        "memory_bytes": None if worker.memory_bytes is None else str(worker.memory_bytes),
        "assigned": worker.assigned,
        "figures": {name: str(count) for name, count in worker.figures.items()},
        "per_s": {name: round(rate, 2) for name, rate in rates.items()},
    }


@asynccontextmanager
async def workers_watched(database: Database) -> AsyncIterator[WorkerWatch]:
    """Watch, and tell Prometheus, until the end of the block."""
    watch = WorkerWatch(database)
    metrics = WorkerMetrics(lambda: watch.counted)
    async with watching(watch.run, "worker-watch", metrics):
        yield watch
