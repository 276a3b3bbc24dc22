"""Leaves a row about a reconciliation that has ended, for the metrics and the dashboard."""

from datetime import UTC, datetime
from functools import partial

import asyncpg
import orjson

from ops.reconcile.report import Report
from schemas.settings import Settings
from sinks.postgres.pool import connect
from sinks.postgres.statements import read_statement

RUNS_MAX = 1_000
"""Kept; a run every hour makes six weeks."""

_read = partial(read_statement, __file__)
_NOTE_RUN = _read("note_run")
_PRUNE_RUNS = _read("prune_runs")


async def record_run(settings: Settings, started_at: datetime, report: Report) -> str | None:
    """Note that this run has ended now. None once that is done, else why it could not be: it is no fault of the run's.

    Whoever reconciles may have the right to read alone.
    """
    try:
        connection = await connect(settings)
        try:
            document = orjson.dumps(report.as_json()).decode()
            ended_at = datetime.now(UTC)
            run_id = await connection.fetchval(_NOTE_RUN, started_at, ended_at, report.holds, document)
            await connection.execute(_PRUNE_RUNS, run_id - RUNS_MAX)
        finally:
            await connection.close()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        return f"this run could not be noted for the dashboard and the metrics: {error}"
    return None
