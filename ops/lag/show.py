"""Prints the lag once, or again and again."""

from contextlib import aclosing

import orjson
from rich.console import Console, RenderableType
from rich.live import Live

from ops.lag.looks import Look, looks_at
from ops.lag.table import lag_tables
from schemas.settings import Settings

WATCH_INTERVAL_S = 1.0


async def show_lag(settings: Settings, *, as_json: bool, watch: bool) -> None:
    """Print tables, or one JSON document (one a line while watching). Watching ends with Ctrl-C."""
    async with aclosing(looks_at(settings, every_s=WATCH_INTERVAL_S)) as looks:
        if not watch:
            look = await anext(looks)
            if as_json:
                print(orjson.dumps(look.as_json(), option=orjson.OPT_INDENT_2).decode())
            else:
                Console().print(_shown(look))
        elif as_json:
            async for look in looks:
                print(orjson.dumps(look.as_json()).decode(), flush=True)
        else:
            with Live(_shown(await anext(looks)), auto_refresh=False) as live:
                async for look in looks:
                    live.update(_shown(look), refresh=True)


def _shown(look: Look) -> RenderableType:
    return lag_tables(look.report, look.waiting)
