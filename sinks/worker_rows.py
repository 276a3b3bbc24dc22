"""The table of worker processes: what each tells of itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from sinks.directory.database import Database

FORGOTTEN_AFTER = timedelta(hours=1)

# The database's clock alone says when: those of the workers may not agree.
_TELL = """
with forgotten as (delete from workers where seen_at < now() - $10::interval and worker_id <> $1)
insert into workers (worker_id, agents, host, pid, version, started_at, memory_bytes, assigned, figures)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (worker_id) do update
    set seen_at = now(), memory_bytes = excluded.memory_bytes, assigned = excluded.assigned, figures = excluded.figures
"""

_REMOVE = "delete from workers where worker_id = $1"


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    """What does not change as long as a process runs. No two processes have the same ``worker_id``."""

    worker_id: str
    agents: Sequence[str]
    host: str
    pid: int
    version: str
    started_at: datetime


class WorkerRows:
    """The rows of ``workers``. Every method raises as ``Database.rows`` does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tell(
        self,
        process: WorkerProcess,
        *,
        memory_bytes: int | None,
        assigned: Mapping[str, Sequence[int]],
        figures: Mapping[str, int],
    ) -> None:
        """Write or renew a process's row: the partitions of each agent, and its counts since it started.

        Rows that nobody has renewed for an hour go.
        """
        await self._database.rows(
            _TELL,
            process.worker_id,
            process.agents,
            process.host,
            process.pid,
            process.version,
            process.started_at,
            memory_bytes,
            orjson.dumps(assigned).decode(),
            orjson.dumps(figures).decode(),
            FORGOTTEN_AFTER,
        )

    async def remove(self, worker_id: str) -> None:
        """Take the row of a process away that ends in order."""
        await self._database.rows(_REMOVE, worker_id)
