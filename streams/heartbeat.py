"""A worker's row in the database, renewed as long as the process lives and its event loop turns."""

import asyncio
import contextlib
import os
import platform
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version

import structlog
from prometheus_client import PROCESS_COLLECTOR, Counter

from schemas.settings import Settings
from sinks.directory.database import Database
from sinks.metrics import VERSION_CONFLICTS
from sinks.postgres.retry import describe
from sinks.worker_rows import WorkerProcess, WorkerRows
from streams.metrics import APPLIED, DEAD_LETTERS, FAILED, REBALANCES
from streams.readiness import Agent

INTERVAL_S = 5.0

FAREWELL_S_MAX = 2.0
"""For taking the row away. Stopping must not wait for a database that is away."""

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def heartbeat(settings: Settings, agents: Mapping[str, Agent]) -> AsyncIterator[None]:
    """Keep the row of this process until the end of the block, then take it away.

    Nothing here holds up the agents or fails them: it has a connection of its own, and a row that cannot be written is
    logged, once until it can be again.
    """
    database = await Database.open(settings)
    beating = asyncio.create_task(_beat(WorkerRows(database), process := _this_process(agents), agents))
    try:
        yield
    finally:
        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beating
        try:
            await asyncio.wait_for(WorkerRows(database).remove(process.worker_id), FAREWELL_S_MAX)
        except Exception as error:  # noqa: BLE001 (whatever it is: the row is found to be silent)
            _log.warning("heartbeat.row_left_behind", error=_cause(error))
        await database.close()


async def _beat(rows: WorkerRows, process: WorkerProcess, agents: Mapping[str, Agent]) -> None:
    is_told = True
    while True:
        try:
            await rows.tell(
                process,
                memory_bytes=_memory_bytes(),
                assigned={name: list(agent.assigned or ()) for name, agent in agents.items()},
                figures=_figures(),
            )
        except Exception as error:  # noqa: BLE001 (whatever it is: transfers go on without it)
            if is_told:
                _log.warning("heartbeat.not_told", error=_cause(error))
            is_told = False
        else:
            is_told = True
        await asyncio.sleep(INTERVAL_S)


def _cause(error: Exception) -> str:
    return describe(error.__cause__ or error)


def _this_process(agents: Mapping[str, Agent]) -> WorkerProcess:
    host, pid = platform.node(), os.getpid()
    return WorkerProcess(
        worker_id=f"{host}-{pid}-{secrets.token_hex(4)}",  # containers may all be process 1 of hosts of one name
        agents=list(agents),
        host=host,
        pid=pid,
        version=version("hfts"),
        started_at=datetime.now(UTC),
    )


def _figures() -> dict[str, int]:
    """What this process has counted since it started."""
    return {
        "applied": _total(APPLIED),
        "failed": _total(FAILED),
        "dead_letters": _total(DEAD_LETTERS),
        "version_conflicts": _total(VERSION_CONFLICTS),
        "rebalances": _total(REBALANCES),
    }


def _total(counter: Counter) -> int:
    """All its labels together."""
    samples = [sample for family in counter.collect() for sample in family.samples]
    return int(sum(sample.value for sample in samples if sample.name.endswith("_total")))


def _memory_bytes() -> int | None:
    """What the process holds in memory, where the system tells."""
    for family in PROCESS_COLLECTOR.collect():
        if family.name == "process_resident_memory_bytes":
            return int(family.samples[0].value)
    return None
