"""Programs that a contender runs to their end, beside the event loop."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def module(name: str) -> list[str]:
    """The command that runs a module of ours with this Python; its environment: ``our_path``."""
    return [sys.executable, "-P", "-m", name]


def our_path() -> dict[str, str]:
    """The environment in which a child finds the modules that we find."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}


async def run_to_end(command: Sequence[str], environment: Mapping[str, str], given: bytes | None = None) -> bytes:
    """What the program printed, ``given`` on its standard input. It is killed when we are cancelled.

    Raises RuntimeError, with the last line that it had to say, when it failed.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL if given is None else asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    try:
        output, errors = await process.communicate(given)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        name = command[-1] if command[0] == sys.executable else Path(command[0]).name
        raise RuntimeError(f"{name} failed with status {process.returncode}: {_last_line(errors)}")
    return output


def _last_line(errors: bytes) -> str:
    return next(iter(errors.decode(errors="replace").strip().splitlines()[-1:]), "it said nothing")
