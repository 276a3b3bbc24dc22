"""Small files that are either the old or the new, never half."""

import json
import os
from pathlib import Path
from typing import Any

from ops.embedded.errors import StackError

PRIVATE = 0o600
_TAIL_CHARS_MAX = 400


def write_atomically(path: Path, text: str, mode: int = PRIVATE) -> None:
    """Replace the file in one step. It has its permissions from the start."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)


def write_json(path: Path, value: Any) -> None:
    """Replace the file by this value as JSON, readable by its owner alone."""
    write_atomically(path, json.dumps(value, indent=1) + "\n")


def read_json(path: Path) -> Any:
    """The file's value, or None where there is no file. Raises StackError for what is not JSON."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise StackError(f"{path} is damaged: {error}. Mend it, or name another folder with --data-dir") from error


def log_tail(path: Path, lines_max: int = 3) -> str:
    """The last lines of a log that are not empty, as one line of at most 400 characters."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 8192))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return " | ".join([line.strip() for line in text.splitlines() if line.strip()][-lines_max:])[-_TAIL_CHARS_MAX:]
