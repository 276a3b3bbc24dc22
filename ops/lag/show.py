"""Prints the lag once, or again and again."""

import asyncio

import orjson
from rich.console import Console
from rich.live import Live

from ops.lag.reader import LagReader, lag_reader
from ops.lag.table import lag_table
from schemas.settings import Settings

WATCH_INTERVAL_S = 1.0


async def show_lag(settings: Settings, *, as_json: bool, watch: bool) -> None:
    """Print a table, or one JSON document (one a line while watching). Watching ends with Ctrl-C."""
    async with lag_reader(settings) as reader:
        if not watch:
            report = await reader.read()
            if as_json:
                print(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2).decode())
            else:
                Console().print(lag_table(report))
        elif as_json:
            while True:
                print(orjson.dumps((await reader.read()).as_json()).decode(), flush=True)
                await asyncio.sleep(WATCH_INTERVAL_S)
        else:
            await _watch(reader)


async def _watch(reader: LagReader) -> None:
    with Live(lag_table(await reader.read()), auto_refresh=False) as live:
        while True:
            await asyncio.sleep(WATCH_INTERVAL_S)
            live.update(lag_table(await reader.read()), refresh=True)
