"""How the runner keeps processes, fills their disks and sets their clocks."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from ops.embedded.processes import Program
from tests.faults.runner.disk import FileLimit
from tests.faults.runner.process import OwnProcess
from tests.faults.runner.scene import Clock

WAITS = "import signal; signal.pause()"
KILLS_ITSELF_IF_TOLD = f"""
import os, signal
if os.environ.get("CRASH_POINT"):
    os.kill(os.getpid(), signal.SIGKILL)
{WAITS}
"""
TIMEOUT_S = 60.0


@asynccontextmanager
async def kept(tmp_path: Path, code: str) -> AsyncIterator[OwnProcess]:
    process = OwnProcess(Program("test", [sys.executable, "-c", code], tmp_path / "log", tmp_path))
    process.start()
    try:
        yield process
    finally:
        await process.stop()
        assert process.pid is None


async def test_a_process_that_was_killed_is_started_again(tmp_path: Path) -> None:
    async with kept(tmp_path, WAITS) as process:
        first = process.signal(signal.SIGKILL)
        assert await process.reaches(lambda: process.pid not in {None, first}, TIMEOUT_S)
        [ended] = process.exits
        assert (ended.status, ended.by_us, ended.killed_itself) == (-signal.SIGKILL, True, False)


async def test_each_life_has_its_own_environment_and_a_crash_is_told_from_a_kill(tmp_path: Path) -> None:
    async with kept(tmp_path, KILLS_ITSELF_IF_TOLD) as process:
        process.lives.extend([{"CRASH_POINT": "one"}, {"CRASH_POINT": "two"}])
        await process.restart()
        assert await process.reaches(lambda: process.lifetimes == 3 and process.pid is not None, TIMEOUT_S)
        assert [one.variables.get("CRASH_POINT") for one in process.exits] == [None, "one", "two"]
        assert [one.killed_itself for one in process.exits] == [False, True, True]


async def test_a_point_that_was_not_come_to_is_tried_again(tmp_path: Path) -> None:
    async with kept(tmp_path, WAITS) as process:
        process.lives.append({"CRASH_POINT": "never"})
        await process.restart()
        assert process.is_armed
        process.signal(signal.SIGKILL)
        assert await process.reaches(lambda: process.lifetimes == 2 and process.pid is not None, TIMEOUT_S)
        assert process.is_armed


def test_a_limit_on_files_is_a_full_disk_until_it_is_lifted(tmp_path: Path) -> None:
    code = """
import signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open("file", "wb", buffering=0) as file:
    for line in sys.stdin:
        try:
            wrote = file.write(b"x" * 100_000) == 100_000
        except OSError:
            wrote = False
        print(wrote, flush=True)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        limit = FileLimit(lambda: child.pid)
        said = []
        changes: list[Callable[[], object]] = [lambda: None, limit.fill, limit.free]
        for change in changes:
            change()
            child.stdin.write("write\n")
            said.append(child.stdout.readline().strip())
        child.stdin.close()
    assert said == ["True", "False", "True"]


def test_a_clock_jumps_while_its_process_runs(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock")
    code = """
import sys, time
from datetime import datetime
from tests.faults.runner.launcher import _jumping_clock
from pathlib import Path
true_time = time.time
_jumping_clock(Path("clock"))
from sinks.ledger.ledger import _utc_now
for line in sys.stdin:
    print(round(time.time() - true_time()), round(_utc_now().timestamp() - true_time()), flush=True)
"""
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        said = []
        for ahead_s in (0.0, 3600.0, -60.0):
            clock.jump(ahead_s)
            child.stdin.write("now\n")
            said.append(child.stdout.readline().split())
        child.stdin.close()
    assert said == [["0", "0"], ["3600", "3600"], ["-60", "-60"]]
