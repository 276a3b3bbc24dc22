"""Servers and workers of other contenders: started beside the bench, ended after it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import gettempdir

from bench.contest import Place
from bench.ours.processes import Running
from ops.embedded.ports import HOST
from ops.embedded.processes import Program

READY_S_MAX = 60.0
POLL_INTERVAL_S = 0.05


@asynccontextmanager
async def running(
    place: Place, name: str, command: Sequence[str], environment: Mapping[str, str]
) -> AsyncIterator[Running]:
    """The process, under this name in the place's logs. Raises RuntimeError when it cannot be started."""
    logs = place.logs or Path(gettempdir())
    log = logs / f"{place.settings.topic_prefix}{name}.log"
    program = Program(name=name, arguments=list(command), log=log, folder=logs, environment=dict(environment))
    try:
        process = Running(program)
    except OSError as error:
        raise RuntimeError(f"{name} cannot be started: {error.strerror}") from error
    try:
        yield process
    finally:
        await process.end()
        if place.logs is None:
            log.unlink(missing_ok=True)


async def wait_listening(process: Running, port: int) -> None:
    """Wait until it takes connections. Raises RuntimeError when it ends instead, or does not within a minute."""
    try:
        async with asyncio.timeout(READY_S_MAX):
            while True:
                process.check()
                try:
                    _, writer = await asyncio.open_connection(HOST, port)
                except OSError:
                    await asyncio.sleep(POLL_INTERVAL_S)
                else:
                    writer.close()
                    await writer.wait_closed()
                    return
    except TimeoutError:
        raise RuntimeError(f"nothing listens on port {port} after {READY_S_MAX:.0f} s") from None
