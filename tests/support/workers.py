"""Processes of ours for tests: workers as their supervisor would start them, and commands."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from pydantic import SecretStr

from ops.lag.reader import lag_reader
from schemas.settings import Settings
from sinks.postgres.pool import connect

STOP_TIMEOUT_S = 60.0
SETTLE_TIMEOUT_S = 120.0
COMMAND_TIMEOUT_S = 120.0


def environment_of(settings: Settings) -> dict[str, str]:
    """The settings as a child's environment."""
    values = settings.model_dump(exclude_none=True)
    ours = {
        name.upper(): value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
    }
    return {**os.environ, **ours}


@contextlib.asynccontextmanager
async def running(settings: Settings, log: Path, command: Sequence[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of ours; killed at the end if it still runs. Its output goes to ``log``."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command, env=environment_of(settings), stdout=output, stderr=output, stdin=asyncio.subprocess.DEVNULL
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def worker(settings: Settings, log: Path, agents: str | None = None) -> contextlib.AbstractAsyncContextManager[
    asyncio.subprocess.Process
]:  # fmt: skip
    """``hfts worker`` with these agents, all by default."""
    chosen = ["--agents", agents] if agents else []
    return running(settings, log, [sys.executable, "-P", "-m", "ops", "worker", *chosen])


async def run_hfts(settings: Settings, *command: str) -> tuple[int, str]:
    """Run a command of ours to its end; its exit status and all that it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "ops", *command),
        env=environment_of(settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), COMMAND_TIMEOUT_S)
    return process.returncode or 0, output.decode()


async def stop(process: asyncio.subprocess.Process) -> int:
    """SIGTERM; returns the exit status."""
    process.send_signal(signal.SIGTERM)
    return await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)


@contextlib.asynccontextmanager
async def database_away(settings: Settings) -> AsyncIterator[None]:
    """Nobody is let into the test's database, and who is in is thrown out."""
    admin = await connect(settings.model_copy(update={"postgres_db": "postgres"}))
    await admin.execute(f'alter database "{settings.postgres_db}" connection limit 0')
    await admin.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name like 'hfts%'",
        settings.postgres_db,
    )
    yield
    await admin.execute(f'alter database "{settings.postgres_db}" connection limit -1')
    await admin.close()


async def wait_settled(settings: Settings, agents: Sequence[str], process: asyncio.subprocess.Process) -> None:
    """Wait until these agents' groups have no lag; fail as soon as the worker has died."""
    groups = {f"{settings.topic_prefix}hfts-{agent}" for agent in agents}
    async with asyncio.timeout(SETTLE_TIMEOUT_S), lag_reader(settings) as reader:
        while True:
            assert process.returncode is None, "the worker has died"
            report = await reader.read()
            if all(lag == 0 for group, lag in report.totals.items() if group in groups):
                return
            await asyncio.sleep(0.1)


async def wait_logged(log: Path, event: str) -> None:
    """Wait until a process has logged an event."""
    async with asyncio.timeout(SETTLE_TIMEOUT_S):
        while event not in log.read_text():  # noqa: ASYNC110, ASYNC240 (another process writes it)
            await asyncio.sleep(0.1)
