"""Stops the stack of a folder from outside."""

import contextlib
import os
import signal

import psutil

from ops.embedded.layout import Layout
from ops.embedded.processes import kill_tree
from ops.embedded.state import clear_left_overs, read_state

_TIMEOUT_S = 150.0
"""Above the sum of what the supervisor grants its parts."""


def stop_stack(layout: Layout) -> bool:
    """Ask the supervisor to stop and wait until it has; kill everything if it does not. False if nothing ran."""
    state = read_state(layout.state)
    if state is None:
        return False
    if not state.is_supervised:
        return bool(clear_left_overs(layout.state))
    with contextlib.suppress(ProcessLookupError):
        os.kill(state.pid, signal.SIGTERM)
    with contextlib.suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
        psutil.Process(state.pid).wait(_TIMEOUT_S)
    kill_tree(state.pid, state.started_s)
    clear_left_overs(layout.state)
    return True
