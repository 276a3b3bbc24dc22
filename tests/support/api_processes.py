"""The API as a process, as a program that builds on it would start it."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from workers import environment_of

from schemas.settings import Settings

ROOT = Path(__file__).parents[2]
_PROGRAM = "from ingest_api.server import run; from schemas.settings import Settings; run(Settings())"


def api_environment(settings: Settings, port: int) -> dict[str, str]:
    """The settings as the environment of an API that listens on this port."""
    return environment_of(settings.model_copy(update={"api_host": "127.0.0.1", "api_port": port}))


async def start_api(
    settings: Settings, port: int = 0, environ: Mapping[str, str] | None = None, *, with_dashboard: bool = False
) -> asyncio.subprocess.Process:
    """Start it with this environment, or with the settings'. Both outputs are pipes; the caller ends it."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, *(("-m", "ops", "api") if with_dashboard else ("-c", _PROGRAM))),
        env=environ or api_environment(settings, port),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
