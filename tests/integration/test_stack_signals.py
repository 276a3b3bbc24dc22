"""How a stack in the foreground ends: on a signal in order, and all at once when the supervisor is killed."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

Up = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="hfts-test-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def up(folder: Path) -> Iterator[Up]:
    """Starts ``hfts up`` without the API, its output in the folder."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "ops", "up", "--data-dir", str(folder), "--no-api", *arguments]
        with (folder / "output").open("wb") as output:
            started.append(subprocess.Popen(command, stdout=output, stderr=output))
        return started[-1]

    yield run
    for process in started:
        process.terminate()
        process.wait(120)


def parts_once_ready(folder: Path, supervisor: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    deadline = time.monotonic() + 200
    while True:
        assert supervisor.poll() is None, (folder / "output").read_text()
        assert time.monotonic() < deadline, (folder / "output").read_text()
        state = json.loads((folder / "state.json").read_text()) if (folder / "state.json").exists() else {}
        if state.get("ready") and state["pid"] == supervisor.pid:
            return [psutil.Process(part["pid"]) for part in state["parts"]]
        time.sleep(0.1)


def test_the_stack_ends_with_its_supervisor_and_starts_again(folder: Path, up: Up) -> None:
    supervisor = up()
    parts = parts_once_ready(folder, supervisor)
    assert len(parts) == 4
    supervisor.kill()
    assert supervisor.wait() == -signal.SIGKILL
    _, alive = psutil.wait_procs(parts, timeout=30)
    assert alive == []

    supervisor = up()
    parts = parts_once_ready(folder, supervisor)
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(120) == 0
    assert not any(part.is_running() for part in parts)
    lines = (folder / "output").read_text()
    assert lines.index("stopping") < lines.index("stopped")
    assert not (folder / "state.json").exists()


def test_a_signal_while_starting_stops_what_has_been_started(folder: Path, up: Up) -> None:
    supervisor = up("--workers", "0")
    deadline = time.monotonic() + 60
    while "Kafka: starting" not in (folder / "output").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    supervisor.send_signal(signal.SIGINT)
    assert supervisor.wait(120) == 0
    output = (folder / "output").read_text()
    assert "Traceback" not in output
    assert output.rstrip().endswith("stopped")
    left = [process for process in psutil.process_iter(["cmdline"]) if str(folder) in str(process.info["cmdline"])]
    assert left == []
