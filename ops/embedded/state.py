"""The file that says which processes a stack consists of at this moment."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path

from ops.embedded.files import read_json, write_json
from ops.embedded.parts import PartState
from ops.embedded.processes import is_same_process, kill_tree, started_at


@dataclass(frozen=True, slots=True)
class StackState:
    """The supervising process and its parts. ``ready`` once everything answered."""

    pid: int
    started_s: float
    ready: bool
    parts: list[PartState]

    @property
    def is_supervised(self) -> bool:
        """Whether the supervisor is alive."""
        return is_same_process(self.pid, self.started_s)


def write_state(path: Path, parts: list[PartState], *, ready: bool) -> None:
    """Record these parts as ours."""
    pid = os.getpid()
    write_json(path, asdict(StackState(pid, started_at(pid) or 0.0, ready, parts)))


def read_state(path: Path) -> StackState | None:
    """What was recorded last, or None. A part whose process is gone at this moment shows as stopped."""
    found = read_json(path)
    if found is None:
        return None
    supervised = is_same_process(found["pid"], found["started_s"])
    parts = [_as_it_is(PartState(**part), supervised=supervised) for part in found.pop("parts")]
    return StackState(parts=parts, **found)


def _as_it_is(part: PartState, *, supervised: bool) -> PartState:
    if part.pid is not None and part.started_s is not None and is_same_process(part.pid, part.started_s):
        return part
    state = "restarting" if supervised and part.state in {"running", "restarting"} else "stopped"
    return PartState(part.name, None, None, state, part.restarts)


def clear_left_overs(path: Path) -> list[str]:
    """End what a supervisor that was killed has left behind; returns a line for each. Only with the lock held."""
    state = read_state(path)
    lines = [
        f"{part.name} (process {part.pid}) was left over from the last run and has been ended"
        for part in (state.parts if state else [])
        if part.pid and part.started_s and kill_tree(part.pid, part.started_s)
    ]
    path.unlink(missing_ok=True)
    return lines
