"""The whole stack under load over HTTP and Kafka, its workers killed at random moments and its database once:
everything accepted is applied once and told once."""

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator
from random import Random, randrange
from unittest.mock import patch

import pytest

from ops.demo.stack import DemoStack
from ops.embedded.layout import Layout
from ops.embedded.state import read_state
from ops.load import settling
from ops.load.access import ApiAccess
from ops.load.run import run_http, run_kafka
from ops.load.settling import wait_settled
from ops.reconcile.run import reconcile
from schemas.settings import Settings

LOAD_DURATION_S = 30.0
VICTIMS = ["worker-1"] * 5 + ["downstream", "postgres"]


@pytest.fixture
def stack() -> Iterator[DemoStack]:
    stack = DemoStack()
    try:
        stack.start(workers=1)
        yield stack
    finally:
        stack.stop()
        shutil.rmtree(stack.folder)


def kill(stack: DemoStack, name: str) -> bool:
    """SIGKILL the part that runs under this name now, if one does."""
    state = read_state(Layout(stack.folder).state)
    assert state is not None
    [part] = [part for part in state.parts if part.name == name]
    if part.pid is None or part.state != "running":
        return False
    os.kill(part.pid, signal.SIGKILL)
    return True


async def kill_at_random(stack: DemoStack, random: Random) -> None:
    """Kill every victim once, in random order at random moments of the load."""
    victims = random.sample(VICTIMS, len(VICTIMS))
    moments = sorted(random.uniform(0, LOAD_DURATION_S) for _ in victims)
    clock = asyncio.get_running_loop()
    start = clock.time()
    for name, moment in zip(victims, moments, strict=True):
        await asyncio.sleep(start + moment - clock.time())  # the schedule of faults, not a wait for anything
        async with asyncio.timeout(60):
            while not kill(stack, name):  # noqa: ASYNC110 (its supervisor starts it)
                await asyncio.sleep(0.05)


@pytest.mark.timeout(600)
async def test_nothing_is_lost_or_doubled_when_processes_are_killed(
    stack: DemoStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "CALM_S_MAX", 0.0)  # each load would wait for the other to end
    seed = randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 (shown when the test fails)
    with patch.dict(os.environ, stack.environment()):
        settings, access = Settings(), ApiAccess()

    ready = asyncio.Barrier(3)
    loops: list[asyncio.Task[object]] = []

    def arrive() -> None:
        loops.append(asyncio.ensure_future(ready.wait()))

    kafka = run_kafka(settings, rate=200, duration_s=LOAD_DURATION_S, wallets=100, on_start=arrive)
    http = run_http(settings, access, rate=40, duration_s=LOAD_DURATION_S, wallets=20, on_start=arrive)
    async with asyncio.TaskGroup() as group:
        over_kafka, over_http = group.create_task(kafka), group.create_task(http)
        await ready.wait()
        group.create_task(kill_at_random(stack, Random(seed)))

    await wait_settled(settings)
    report = await reconcile(settings, settled=True)
    assert [(f.title, f.faults, f.pending, f.examples) for f in report.findings if f.faults or f.pending] == []
    for load in (over_kafka.result(), over_http.result()):
        assert load.accepted > 0
        assert load.unanswered == 0, "accepted, and no outcome"
    assert over_kafka.result().errors == {}
