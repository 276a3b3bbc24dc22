"""A release with migrations of both steps, rolled out under load as docs/deploying.md has it.

The version before is this program; the one after is this program with more migrations.
"""

import asyncio
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ops.embedded.http_probe import answers_ok
from sinks.errors import MigrationError
from sinks.postgres import migrate
from sinks.postgres.migration_files import Step, read_migrations
from sinks.postgres.pool import connect
from streams.servers import database_fault
from tests.faults.runner.cluster import group_members
from tests.faults.runner.faults.membership import ASSIGNED, log_since
from tests.faults.runner.process import NO_VARIABLES
from tests.faults.runner.scene import Scene
from tests.faults.runner.stalls import Made

READY_TIMEOUT_S = 60.0
POLL_S = 0.05

# Their locks are those that everything else takes as well.
_MIGRATIONS = {
    "new_columns": "alter table wallets add column tier text; alter table transfers add column tier text;",
    "new_index": "-- no transaction\ncreate index concurrently if not exists tiers on transfers (completed_at)",
    "old_columns.post": "alter table wallets drop column tier; alter table transfers drop column tier;",
}


class ReleaseError(Exception):
    """Something did not go as it is documented."""


async def roll_out(scene: Scene, tell: Callable[[str], None]) -> list[Made]:
    """Migrate, replace every process, migrate again. Raises ReleaseError, and MigrationError."""
    folder = _newer_migrations(scene.folder / "migrations")
    newer = {"MIGRATIONS_FOLDER": str(folder)}
    made: list[Made] = []

    def begin(label: str, name: str = "") -> None:
        tell(f"{label} {name}".rstrip())
        made.append(Made(time.monotonic(), label))

    begin("migrate pre")
    await _migrate(scene, folder, Step.PRE)
    # Who reads messages comes before who writes them. Meanwhile a worker of the version before has to start again.
    first, *_ = scene.there.workers
    begin("replace", f"downstream, and restart {first} as it was")
    await asyncio.gather(_replace(scene, "downstream", newer), _replace(scene, first, NO_VARIABLES))
    await _expect_refusal(scene, folder)
    for name in (*scene.there.workers, *scene.there.apis):
        begin("replace", name)
        await _replace(scene, name, newer)
    begin("migrate post")
    await _migrate(scene, folder, Step.POST)
    if "has dropped what it needs" not in (await database_fault(scene.settings) or ""):
        raise ReleaseError("the version before would go on without what it needs")
    return made


async def _expect_refusal(scene: Scene, folder: Path) -> None:
    try:
        await _migrate(scene, folder, Step.POST)
    except MigrationError as error:
        if "programs of one are connected" in str(error):
            return
        raise
    raise ReleaseError("what the version before needs was dropped while it was running")


async def _migrate(scene: Scene, folder: Path, step: Step) -> None:
    connection = await connect(scene.settings)
    try:
        if not await migrate.migrate_up(connection, read_migrations(folder), step):
            raise ReleaseError(f"there was nothing to do in step {step}")
    finally:
        await connection.close()


def _newer_migrations(folder: Path) -> Path:
    shutil.copytree(migrate._FOLDER, folder)
    for number, (name, up_sql) in enumerate(_MIGRATIONS.items(), len(migrate.known_migrations()) + 1):
        (folder / f"{number:04d}_{name}.up.sql").write_text(up_sql)
        (folder / f"{number:04d}_{name}.down.sql").write_text("drop index concurrently if exists tiers")
    return folder


async def _replace(scene: Scene, name: str, variables: Mapping[str, str]) -> None:
    """End a process in order, and return when the next one does its work."""
    process, log, agents = scene.processes[name], scene.log(name), scene.agents(name)
    begin = log.stat().st_size

    async def is_at_work() -> bool:
        if not agents:
            return await answers_ok(scene.settings.api_host, scene.api_ports[name], "/readyz")
        return log_since(log, begin).count(ASSIGNED) >= len(agents)

    process.lives.append(variables)
    await process.restart()
    for agent in agents:
        others = [other for other in scene.there.own if other != name and agent in scene.agents(other)]
        if await group_members(scene.settings, f"hfts-{agent}") > len(others):
            raise ReleaseError(f"{name} has ended, and the others of {agent} still wait for it")
    async with asyncio.timeout(READY_TIMEOUT_S):
        while not await is_at_work():  # noqa: ASYNC110 (another process brings it about)
            await asyncio.sleep(POLL_S)
