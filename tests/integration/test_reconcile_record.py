"""What `hfts reconcile` leaves behind."""

import asyncpg
import orjson
from workers import run_hfts

from schemas.settings import Settings


async def test_a_run_is_noted_where_that_is_allowed(settings: Settings, connection: asyncpg.Connection) -> None:
    status, output = await run_hfts(settings, "reconcile", "--json")
    assert status == 0, output
    [run] = await connection.fetch("select * from reconcile_runs")
    assert run["passed"]
    assert run["started_at"] < run["finished_at"]
    assert orjson.loads(run["report"]) == orjson.loads(output)
    await connection.execute("revoke insert on reconcile_runs from current_user")
    status, output = await run_hfts(settings, "reconcile")
    assert status == 0, "what was found is what counts"
    assert "hfts: this run could not be noted for the dashboard and the metrics: permission denied" in output
    assert await connection.fetchval("select count(*) from reconcile_runs") == 1
