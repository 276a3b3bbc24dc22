"""Runs of the fault runner, each the command that ``make faults`` runs, with its output shown when the test fails."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def run_faults(report: Path, *arguments: str) -> dict[str, Any]:
    """The runner's report. Whatever it says, it must have come to its end."""
    command = [sys.executable, "-m", "tests.faults.runner", "--report", str(report), *arguments]
    subprocess.run(command, check=False, cwd=ROOT)
    assert report.exists(), "the runner has failed"
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def assert_exactly_once(found: dict[str, Any]) -> None:
    verdict = found["verdict"]
    assert verdict["problems"] == {}, verdict["examples"]
    assert (verdict["lost"], verdict["duplicates"]) == (0, 0)
    assert verdict["applied"] >= verdict["acknowledged"] > 0
