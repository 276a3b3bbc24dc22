"""A stack in a temporary folder, started and stopped by the commands that everybody uses."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ops.errors import CommandError
from ops.load.access import ApiAccess
from schemas.settings import Settings

STOP_TIMEOUT_S = 120.0
_HFTS = (sys.executable, "-m", "ops")


@dataclass(slots=True)
class DemoStack:
    """The folder, and whether to keep it."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="hfts-demo-")))

    @property
    def logs(self) -> Path:
        """One file a process."""
        return self.folder / "logs"

    def start(self, workers: int) -> None:
        """Start everything and return when it is ready. Raises CommandError; what is wrong has been printed."""
        command = [*_HFTS, "up", "--detach", f"--data-dir={self.folder}", f"--workers={workers}"]
        if subprocess.run(command, check=False, env=_environment()).returncode != 0:
            raise CommandError("the stack did not start, see above")

    def environment(self) -> dict[str, str]:
        """The stack's addresses and credentials by name."""
        command = [*_HFTS, "env", f"--data-dir={self.folder}"]
        printed = subprocess.run(command, check=True, capture_output=True, text=True, env=_environment()).stdout
        return dict(word.split("=", 1) for word in shlex.split(printed))

    def stop(self) -> None:
        """Stop everything; fine if nothing runs. A second Ctrl-C does not cut it short."""
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        command = [*_HFTS, "down", f"--data-dir={self.folder}"]
        try:
            subprocess.run(
                command,
                check=False,
                capture_output=True,
                timeout=STOP_TIMEOUT_S,
                start_new_session=True,
                env=_environment(),
            )
        finally:
            signal.signal(signal.SIGINT, before)

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def settings_of(environment: dict[str, str]) -> Settings:
    """The settings that reach the stack, whatever this process's own environment says."""
    make: Callable[..., Settings] = partial(
        Settings, _env_file=None, topic_prefix="", kafka_security_protocol="PLAINTEXT"
    )
    known = {name.lower(): value for name, value in environment.items() if name.lower() in Settings.model_fields}
    return make(**known)


def access_of(environment: dict[str, str]) -> ApiAccess:
    """How to reach the stack's API."""
    make: Callable[..., ApiAccess] = partial(ApiAccess, _env_file=None)
    return make(**{name: environment[name.upper()] for name in ApiAccess.model_fields})


def _environment() -> dict[str, str]:
    """The outer environment, which finds ``ops`` wherever this one was found."""
    source = str(Path(__file__).resolve().parents[2])
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{source}{os.pathsep}{path}" if path else source}
