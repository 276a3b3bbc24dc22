"""Kills a deliverer at random moments under load, again and again, and counts what came twice, or never.

``python -m tests.faults.delivery_kills --kills 40 --rate 200``. The mail server is aiosmtpd in this process; what was
under way when a process was killed is made due at once, instead of 330 s later.
"""

import argparse
import asyncio
import contextlib
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import asyncpg
from pydantic import SecretStr

from ops.embedded.plan import StackOptions
from ops.embedded.stack import Stack
from schemas.settings import Settings
from sinks.postgres.migrate import known_migrations, migrate_up
from sinks.postgres.pool import connect

sys.path.append(str(Path(__file__).parents[1] / "support"))

from deliveries import a_notification, make_due, put, states
from mail_server import MailServer, mail_server
from workers import running

LIFE_S = (1.5, 4.0)
"""How long a process lives, its start included."""

DELIVERS = """
import asyncio
from schemas.settings import Settings
from sinks.postgres.pool import create_pool
from streams.deliverer import Deliverer

async def main():
    settings = Settings()
    Deliverer(settings, await create_pool(settings, size_max=4)).start()
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def run(kills: int, rate: int) -> int:
    """Print what happened; 1 if anything was lost."""
    folder = Path(tempfile.mkdtemp(prefix="hfts-deliveries-"))
    stack = Stack(folder, StackOptions(partitions=1, small=True))
    try:
        await stack.start()
        settings = stack.settings()
        connection = await connect(settings)
        await migrate_up(connection, known_migrations())
        async with mail_server() as server:
            return await kill_under_load(settings, connection, server, kills, rate)
    finally:
        await stack.stop()
        shutil.rmtree(folder)


async def kill_under_load(
    settings: Settings, connection: asyncpg.Connection, server: MailServer, kills: int, rate: int
) -> int:
    """Load in a task beside; each process gets what the one before left."""
    settings = settings.model_copy(update={"smtp_url": SecretStr(f"smtp://127.0.0.1:{server.port}")})
    loader = asyncio.create_task(load(await connect(settings), rate))
    log = Path(tempfile.gettempdir()) / "hfts-delivery-kills.log"
    for _ in range(kills):
        async with running(settings, log, [sys.executable, "-P", "-c", DELIVERS]) as process:
            await asyncio.sleep(random.uniform(*LIFE_S))
            process.kill()
            await process.wait()
        await make_due(connection)
    loader.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await loader
    async with running(settings, log, [sys.executable, "-P", "-c", DELIVERS]):
        while (await states(connection)).get("pending", 0):  # noqa: ASYNC110 (another process works them off)
            await asyncio.sleep(0.5)
    found = await states(connection)
    times = Counter(server.ids.values())
    doubles = sum((count - 1) * messages for count, messages in times.items())
    print(  # noqa: T201 (its report)
        f"{kills} kills, {rate}/s offered, {found}: {len(server.ids)} messages came, {doubles} of them doubled.",
        f"{doubles / kills:.2f} doubles a kill, {1e6 * doubles / max(1, len(server.ids)):.0f} in a million messages.",
    )
    return int(found != {"delivered": len(server.ids)})


async def load(connection: asyncpg.Connection, rate: int) -> None:
    """Queue so many a second, each for somebody else."""
    while True:
        await put(connection, *(a_notification() for _ in range(max(1, rate // 10))))
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--rate", type=int, default=200)
    options = parser.parse_args()
    sys.exit(asyncio.run(run(options.kills, options.rate)))
