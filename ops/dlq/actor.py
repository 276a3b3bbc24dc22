"""Who is at the terminal."""

import getpass
import os
import socket


def current_actor() -> str:
    """User and machine, as in ``ops@bastion``. A user without a name, as in a container, goes by number."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
