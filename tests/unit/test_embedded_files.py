import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from ops.embedded.files import log_tail, read_json, write_json
from ops.embedded.layout import Layout
from ops.embedded.parts import PartState
from ops.embedded.processes import is_same_process, kill_tree, started_at
from ops.embedded.state import clear_left_overs, read_state, write_state


def test_json_files_are_private_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    assert read_json(path) is None
    write_json(path, {"a": 1})
    write_json(path, {"a": 2})
    assert read_json(path) == {"a": 2}
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.json"]


def test_secrets_are_made_once(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    secrets = layout.ensure_secrets()
    assert layout.ensure_secrets() == secrets == layout.read_secrets()
    assert len(set(asdict(secrets).values())) == 4
    assert len(secrets.secret_key) >= 32
    assert layout.secrets.stat().st_mode & 0o777 == 0o600


def test_the_end_of_a_log_on_one_line(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    assert log_tail(log) == ""
    log.write_text("one\n\ntwo  \nthree\n")
    assert log_tail(log, lines_max=2) == "two | three"


def test_the_state_file_tells_what_is_alive(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    own = PartState("own", os.getpid(), started_at(os.getpid()), "running", 1)
    other = PartState("reused-pid", os.getpid(), 12.5, "running", 0)
    write_state(path, [own, other], ready=True)
    state = read_state(path)
    assert state is not None
    assert state.is_supervised
    assert state.ready
    assert state.parts == [own, PartState("reused-pid", None, None, "restarting", 0)]


def test_left_overs_are_ended_and_strangers_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with child:
        started_s = started_at(child.pid)
        assert started_s is not None
        stranger = PartState("stranger", os.getpid(), 12.5, "running", 0)
        write_state(path, [PartState("worker-1", child.pid, started_s, "running", 0), stranger], ready=True)
        lines = clear_left_overs(path)
    assert lines == [f"worker-1 (process {child.pid}) was left over from the last run and has been ended"]
    assert not path.exists()
    assert not is_same_process(child.pid, started_s)
    assert not kill_tree(child.pid, started_s)
