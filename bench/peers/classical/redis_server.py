"""A Redis of the run's own, without any persistence: its users' queues are worth no more to them."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.children import our_path
from bench.contest import Place
from bench.serving import running, wait_listening
from ops.embedded.ports import HOST, free_port


@asynccontextmanager
async def redis_server(place: Place) -> AsyncIterator[str]:
    """Its URL. Raises RuntimeError where the program is missing."""
    program = shutil.which("redis-server")
    if program is None:
        raise RuntimeError("redis-server is missing: install Redis (Debian: apt-get install redis-server)")
    port = free_port(())
    with tempfile.TemporaryDirectory(prefix="hfts-redis-") as folder:
        command = [program, "--bind", HOST, "--port", str(port), "--dir", folder]
        command += ["--appendonly", "no", "--save", "", "--daemonize", "no"]
        async with running(place, "redis", command, our_path()) as process:
            await wait_listening(process, port)
            yield f"redis://{HOST}:{port}/0"
