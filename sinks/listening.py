"""A socket to listen on, or one clear line."""

import errno
import os
import socket


def listen(who: str, host: str, port: int, *, backlog: int) -> socket.socket:
    """Listen on this address, which stands in the settings WHO_HOST and WHO_PORT; port 0 means any that is free.

    Raises SystemExit with what to do when that cannot be.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(backlog)
    except OSError as error:
        listener.close()
        name = who.upper()
        is_taken = error.errno == errno.EADDRINUSE
        advice = f"Stop what uses it, or set {name}_PORT." if is_taken else f"Set {name}_HOST and {name}_PORT."
        raise SystemExit(
            f"The {who} cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}. {advice}"
        ) from None
    return listener
