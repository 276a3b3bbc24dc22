"""TCP ports on the loopback interface."""

import random
import socket
from collections.abc import Collection

HOST = "127.0.0.1"

# Below the range systems take ports of outgoing connections from. In that range, a client that tries to reach a server
# which is being started again could get the server's own port, and keep it.
_CHOICE = range(20_000, 32_768)
_TRIES_MAX = 1000


def is_free(port: int) -> bool:
    """Whether a server could listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(used: Collection[int]) -> int:
    """A port that is free and not one of ``used``. Raises OSError when none is found."""
    for port in random.sample(_CHOICE, _TRIES_MAX):
        if port not in used and is_free(port):
            return port
    raise OSError(f"no free port between {_CHOICE.start} and {_CHOICE.stop - 1}")
