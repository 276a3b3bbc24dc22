"""A deliverer that is killed between any two steps of a delivery."""

import signal
import sys
from pathlib import Path

import asyncpg
from deliveries import a_notification, make_due, put, states, work_off
from mail_server import mail_server
from pydantic import SecretStr
from workers import running

from schemas.crash_points import CrashPoint
from schemas.settings import Settings
from sinks.postgres.pool import create_pool
from streams.deliverer import Deliverer

# Delivers until it is killed, or until nothing is left.
DELIVERS = """
import asyncio
from schemas.settings import Settings
from sinks.crash import arm
from sinks.postgres.pool import create_pool
from streams.deliverer import Deliverer

async def main():
    settings = Settings()
    arm(settings.crash)
    pool = await create_pool(settings, size_max=4)
    deliverer = Deliverer(settings, pool)
    [email] = [lane for lane in deliverer.lanes if lane.channel == "email"]
    while await email.take():
        await email.idle()
    await deliverer.stop()
    await pool.close()

asyncio.run(main())
"""


async def test_a_killed_process_loses_nothing_and_doubles_only_what_was_accepted_and_not_noted(
    database_settings: Settings, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    async with mail_server() as server:
        url = SecretStr(f"smtp://127.0.0.1:{server.port}")
        for point, doubles in (
            (CrashPoint.AFTER_CLAIM, 0),
            (CrashPoint.AFTER_HANDOVER, 1),
            (CrashPoint.AFTER_NOTE, 0),
            (None, 0),
        ):
            server.messages.clear()
            await put(connection, a_notification())
            settings = database_settings.model_copy(update={"smtp_url": url, "crash_point": point or ""})
            log = tmp_path / f"{point}.log"
            async with running(settings, log, [sys.executable, "-P", "-c", DELIVERS]) as process:
                assert await process.wait() == (0 if point is None else -signal.SIGKILL), log.read_text()
            await make_due(connection)
            rest = Deliverer(settings, pool := await create_pool(settings, size_max=4))
            await work_off(rest.lanes[0])
            await rest.stop()
            await pool.close()
            assert list(server.ids.values()) == [1 + doubles], point
    assert await states(connection) == {"delivered": 4}
