"""The app on a socket."""

import signal

import structlog
import uvicorn

from ingest_api.app import create_app
from ingest_api.connection import connection_class
from ingest_api.draining_server import SHUTDOWN_TIMEOUT_S, DrainingServer
from ingest_api.extension import ALONE, Extension
from schemas.settings import Settings
from sinks.crash import arm
from sinks.kafka.options import client_options
from sinks.kafka.signing import request_signer
from sinks.listening import listen
from sinks.logs import configure_logging
from sinks.memory import REQUEST_OBJECTS, collect_rarely, keep_freed_memory
from sinks.postgres.pool import connection_options
from sinks.tracing import start_tracing, tracing

BACKLOG = 2048
KEEP_ALIVE_S = 30

_log = structlog.get_logger(__name__)


def run(settings: Settings, extension: Extension = ALONE) -> None:
    """Serve until SIGTERM or SIGINT; then finish the requests under way, for at most 10 s.

    SIGTERM lets it serve for ``api_shutdown_delay_s`` before that, while `/readyz` says that it is about to stop.

    Raises SystemExit with one line when the address cannot be listened on, and SinkError for a file or a key that
    is missing.
    """
    configure_logging(debug=settings.debug)
    start_tracing(settings, "hfts-api")
    check_settings(settings)
    listener = listen("API", settings.api_host, settings.api_port, backlog=BACKLOG)
    host, port = listener.getsockname()[:2]
    arm(settings.crash)
    app = create_app(settings, extension=extension)
    config = uvicorn.Config(
        app,
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
    try:
        DrainingServer(config, app.state.draining, settings.api_shutdown_delay_s).run(sockets=[listener])
    finally:
        tracing().end()


def check_settings(settings: Settings) -> None:
    """Build once what the services build from the settings alone: a fault is one clear line. Raises SinkError."""
    connection_options(settings)
    client_options(settings)
    request_signer(settings)


def _leave(*_: object) -> None:
    """uvicorn shuts down in order and then sends itself the signal once more: this is what that one does."""
    raise SystemExit(0)
