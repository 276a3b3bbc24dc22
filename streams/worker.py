"""The worker process: a choice of agents in one event loop, until SIGTERM or SIGINT."""

from collections.abc import Sequence

import faust
import structlog
import uvloop

from schemas.settings import Settings
from sinks.crash import arm
from sinks.logs import configure_logging
from sinks.memory import BATCH_OBJECTS, collect_rarely, keep_freed_memory
from streams.app import STAGES, create_app
from streams.servers import wait_for_servers

ALL_AGENTS = tuple(STAGES)

_log = structlog.get_logger(__name__)


def run(settings: Settings, agents: Sequence[str] = ALL_AGENTS) -> None:
    """Run these agents; ends the process when they have stopped.

    A signal lets the batch in hand finish: it is committed, published and acknowledged.
    """
    configure_logging(debug=settings.debug)
    arm(settings.crash)
    collect_rarely(BATCH_OBJECTS)
    keep_freed_memory()
    uvloop.run(wait_for_servers(settings))
    first, *others = (create_app(name, settings) for name in agents)
    for app in others:
        app.finalize()
        app.in_worker = True
    worker = faust.Worker(
        first,
        *others,
        loop=uvloop.new_event_loop(),
        redirect_stdouts=False,
        override_logging=False,
        quiet=True,
    )
    _log.info("worker.starting", agents=list(agents))
    worker.execute_from_commandline()
