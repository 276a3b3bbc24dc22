"""The app on a socket."""

import errno
import os
import signal
import socket

import structlog
import uvicorn

from ingest_api.app import create_app
from ingest_api.connection import connection_class
from schemas.settings import Settings
from sinks.crash import arm
from sinks.kafka.options import client_options
from sinks.kafka.signing import request_signer
from sinks.logs import configure_logging
from sinks.memory import REQUEST_OBJECTS, collect_rarely, keep_freed_memory
from sinks.postgres.pool import connection_options

BACKLOG = 2048
SHUTDOWN_TIMEOUT_S = 10
KEEP_ALIVE_S = 30

_log = structlog.get_logger(__name__)


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; then finish the requests under way, for at most 10 s.

    Raises SystemExit with one line when the address cannot be listened on, and SinkError for a file or a key that
    is missing.
    """
    configure_logging(debug=settings.debug)
    check_settings(settings)
    listener = _listen(settings.api_host, settings.api_port)
    host, port = listener.getsockname()[:2]
    arm(settings.crash)
    config = uvicorn.Config(
        create_app(settings),
        loop="uvloop",
        http=connection_class(),
        ws="none",
        lifespan="on",
        access_log=False,
        server_header=False,
        log_config=None,
        log_level="info" if settings.debug else "warning",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_S,
    )
    collect_rarely(REQUEST_OBJECTS)
    keep_freed_memory()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    _log.info("api.listening", host=host, port=port)
    uvicorn.Server(config).run(sockets=[listener])


def check_settings(settings: Settings) -> None:
    """Build once what the services build from the settings alone: a fault is one clear line. Raises SinkError."""
    connection_options(settings)
    client_options(settings)
    request_signer(settings)


def _leave(*_: object) -> None:
    """uvicorn shuts down in order and then sends itself the signal once more: this is what that one does."""
    raise SystemExit(0)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        advice = (
            "Stop what uses it, or set API_PORT." if error.errno == errno.EADDRINUSE else "Set API_HOST and API_PORT."
        )
        raise SystemExit(f"The API cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}. {advice}") from None
    return listener
