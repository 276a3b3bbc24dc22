"""How a stack in the foreground ends: on a signal in order, and all at once when the supervisor is killed."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from polling import wait_until

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
    def is_ready() -> bool:
        assert supervisor.poll() is None, (folder / "output").read_text()
        state = read_state(folder)
        return bool(state.get("ready")) and state["pid"] == supervisor.pid

    wait_until(is_ready, "the stack is not ready", timeout_s=200)
    return [psutil.Process(part["pid"]) for part in read_state(folder)["parts"]]


def read_state(folder: Path) -> dict[str, Any]:
    path = folder / "state.json"
    state: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return state


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
    wait_until(lambda: "Kafka: starting" in (folder / "output").read_text(), "Kafka is not started")
    supervisor.send_signal(signal.SIGINT)
    assert supervisor.wait(120) == 0
    output = (folder / "output").read_text()
    assert "Traceback" not in output
    assert output.rstrip().endswith("stopped")
    left = [process for process in psutil.process_iter(["cmdline"]) if str(folder) in str(process.info["cmdline"])]
    assert left == []
