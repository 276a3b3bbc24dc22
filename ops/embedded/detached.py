"""Starts a supervisor in the background and waits until its stack is ready."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

from ops.embedded.errors import StackError
from ops.embedded.files import log_tail
from ops.embedded.layout import Layout
from ops.embedded.reporting import Reporter

_STOP_TIMEOUT_S = 150.0


def start_detached(folder: Path, arguments: list[str], reporter: Reporter) -> None:
    """Run ``hfts up ARGUMENTS --report-to FD`` in a session of its own.

    Returns when the stack is ready. Raises StackError with the cause when it is not going to be. Ctrl-C stops it.
    """
    layout = Layout(folder.absolute())
    try:
        layout.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = (layout.logs / "supervisor.log").open("ab")
    except OSError as error:
        raise StackError(f"{folder} cannot be used: {error.strerror}. Name another one with --data-dir") from error
    receiving, sending = os.pipe()
    with log, os.fdopen(receiving, "rb") as events:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ops", "up", *arguments, "--report-to", str(sending)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(sending,),
        )
        os.close(sending)
        try:
            failure = _follow(events, reporter)
        except KeyboardInterrupt:
            process.send_signal(signal.SIGTERM)
            process.wait(_STOP_TIMEOUT_S)
            raise
    if failure is None:
        return
    process.wait(_STOP_TIMEOUT_S)
    reporter.failed(failure)
    tail = log_tail(layout.logs / "supervisor.log")
    raise StackError(failure or f"the supervisor ended while starting: {tail}. See {layout.logs}")


def _follow(events: IO[bytes], reporter: Reporter) -> str | None:
    """Pass events on until the stack is ready (None), has failed (why), or the supervisor is gone (empty text)."""
    for line in events:
        kind, *values = json.loads(line)
        if kind == "ready":
            reporter.ready([(name, value) for name, value in values[0]])
            return None
        if kind == "failed":
            return str(values[0])
        if kind == "download":
            reporter.download(*values)
        else:
            reporter.line(*values)
    return ""
