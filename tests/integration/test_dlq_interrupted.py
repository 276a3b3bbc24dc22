"""A replay that is killed, or paused and woken up too late, between any two of its steps."""

import signal
import sys
from pathlib import Path

import asyncpg
import psutil
import pytest
from dead_letters import states, write_numbered_letters
from plain_topics import records_of
from polling import wait_until
from workers import running

from ops.dlq.errors import BusyError
from ops.dlq.replay import replay_letters
from ops.dlq.requests_writer import requests_writer
from ops.dlq.selection import Selection, State
from ops.dlq.steps import Step
from schemas.settings import Settings
from schemas.topics import TRANSFERS_REQUESTED

ALL = Selection()
LETTERS = [f"{partition}:{offset}" for partition in range(3) for offset in range(4)]

# Signals itself at the n-th time of a step: letters of each partition are a transaction of their own.
REPLAY = """
import asyncio, os, signal, sys
from ops.dlq.replay import replay_letters
from ops.dlq.requests_writer import requests_writer
from ops.dlq.selection import Selection
from schemas.settings import Settings

number, step, left = signal.Signals[sys.argv[1]], sys.argv[2], [int(sys.argv[3])]

def reached(now):
    left[0] -= now == step
    if now == step and left[0] == 0:
        os.kill(os.getpid(), number)

report = asyncio.run(replay_letters(Settings(), Selection(), actor="first", reached=reached))
print("replayed", report.replayed.total())
"""

# Those of the second partition: what was done before must stay, what comes after must follow.
SECOND_CHUNK = {Step.INTENDED: 2, Step.SENT: 2, Step.PUBLISHED: 2, Step.NOTED: 2}


def first_command(signal_name: str, step: Step) -> list[str]:
    return [sys.executable, "-c", REPLAY, signal_name, step, str(SECOND_CHUNK.get(step, 1))]


async def assert_each_is_back_once(settings: Settings) -> None:
    found = [bytes(record.headers[-2][1] or b"").decode() for record in await records_of(settings, TRANSFERS_REQUESTED)]
    assert found == LETTERS
    assert await states(settings) == dict.fromkeys(LETTERS, State.REPLAYED)


@pytest.mark.parametrize("step", Step)
async def test_a_killed_replay_is_completed_by_the_next(settings: Settings, step: Step, tmp_path: Path) -> None:
    await write_numbered_letters(settings, 4)
    async with running(settings, tmp_path / "log", first_command("SIGKILL", step)) as first:
        assert await first.wait() == -signal.SIGKILL
    report = await replay_letters(settings, ALL, actor="second")
    settled = report.settled
    expected = {Step.INTENDED: (0, 4), Step.SENT: (0, 4), Step.PUBLISHED: (4, 0)}.get(step, (0, 0))
    assert (settled.published, settled.reopened, settled.undecided) == (*expected, 0)
    await assert_each_is_back_once(settings)
    assert (await replay_letters(settings, ALL, actor="third")).replayed.total() == 0


@pytest.mark.parametrize("step", [Step.LOCKED, Step.INTENDED, Step.SENT, Step.PUBLISHED])
async def test_a_paused_replay_that_wakes_up_too_late_publishes_nothing(
    settings: Settings, connection: asyncpg.Connection, step: Step, tmp_path: Path
) -> None:
    await write_numbered_letters(settings, 4)
    log = tmp_path / "log"
    async with running(settings, log, first_command("SIGSTOP", step)) as first:
        process = psutil.Process(first.pid)
        wait_until(lambda: process.status() == psutil.STATUS_STOPPED, f"the first replay stands at {step}")
        with pytest.raises(BusyError) as busy:
            await replay_letters(settings, ALL, actor="second")
        # What the server does itself when the machine of the first one does not answer any more.
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' "
            "and database = (select oid from pg_database where datname = current_database())"
        )
        assert "pg_terminate_backend" in str(busy.value)
        await replay_letters(settings, ALL, actor="second")
        await assert_each_is_back_once(settings)
        first.send_signal(signal.SIGCONT)
        assert await first.wait() == 1
        assert "replayed" not in log.read_text().splitlines()[-1].split()
    await assert_each_is_back_once(settings)


async def test_a_zombie_with_its_database_is_shut_out_by_the_brokers(settings: Settings, tmp_path: Path) -> None:
    """The lock is not all: even if the first one keeps its connection, its transaction is refused."""
    await write_numbered_letters(settings, 4)
    log = tmp_path / "log"
    async with running(settings, log, first_command("SIGSTOP", Step.INTENDED)) as first:
        process = psutil.Process(first.pid)
        wait_until(lambda: process.status() == psutil.STATUS_STOPPED, "the first replay is about to publish")
        async with requests_writer(settings):
            first.send_signal(signal.SIGCONT)
            assert await first.wait() == 1
    assert "OvertakenError" in log.read_text()
    assert len(await records_of(settings, TRANSFERS_REQUESTED)) == 4
    report = await replay_letters(settings, ALL, actor="second")
    assert report.settled.reopened == 4
    await assert_each_is_back_once(settings)
