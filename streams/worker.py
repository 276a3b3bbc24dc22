"""The worker process: a choice of agents in one event loop, until SIGTERM or SIGINT."""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext

import faust
import structlog
import uvloop

from schemas.settings import Settings
from sinks.crash import arm
from sinks.listening import listen
from sinks.logs import configure_logging
from sinks.memory import BATCH_OBJECTS, collect_rarely, keep_freed_memory
from sinks.tracing import start_tracing, tracing
from streams.app import STAGES, create_app
from streams.beside import Beside
from streams.checkpointing import checkpoints_written
from streams.heartbeat import heartbeat
from streams.readiness import Readiness
from streams.servers import wait_for_servers
from streams.status_server import status_served

ALL_AGENTS = tuple(STAGES)

BACKLOG = 64

_log = structlog.get_logger(__name__)


def run(settings: Settings, agents: Sequence[str] = ALL_AGENTS) -> None:
    """Run these agents; ends the process when they have stopped.

    A signal lets the batch in hand finish: it is committed, published and acknowledged. Before there is any, the
    process just ends. Raises SystemExit with one line when the address of the settings cannot be listened on.
    """
    configure_logging(debug=settings.debug)
    start_tracing(settings, "hfts-worker", {"hfts.agents": ",".join(agents)})
    arm(settings.crash)
    collect_rarely(BATCH_OBJECTS)
    keep_freed_memory()
    # One loop from the first sign of life to the last. Faust closes it.
    runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    readiness = Readiness(settings, agents)
    status = Beside(_status(settings, readiness))
    runner.run(status.start())
    if not runner.run(_servers_come(settings, ledger="transfers" in agents)):
        runner.run(status.stop())
        runner.close()
        return
    apps = {name: create_app(name, settings) for name in agents}
    readiness.agents.update(apps)
    first, *others = apps.values()
    for app in others:
        app.finalize()
        app.in_worker = True
    # The first app is stopped before all others, and these from the last to the first.
    worker = faust.Worker(
        first,
        status,
        Beside(heartbeat(settings, apps)),
        *(Beside(checkpoints_written(settings, app)) for name, app in apps.items() if name == "audit"),
        *others,
        loop=runner.get_loop(),
        redirect_stdouts=False,
        override_logging=False,
        quiet=True,
    )
    worker.spinner = None  # it would write to standard output, which is no place for it
    _log.info("worker.starting", agents=list(agents))
    try:
        worker.execute_from_commandline()
    finally:
        tracing().end()


def _status(settings: Settings, readiness: Readiness) -> AbstractAsyncContextManager[None]:
    if settings.worker_port is None:
        return nullcontext()
    listener = listen("worker", settings.worker_host, settings.worker_port, backlog=BACKLOG)
    return status_served(listener, readiness)


async def _servers_come(settings: Settings, *, ledger: bool) -> bool:
    """Wait for them; False when a signal comes first, by which the first process of a container would not just end."""
    waiting = asyncio.create_task(wait_for_servers(settings, ledger=ledger))
    loop, signals = asyncio.get_running_loop(), (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, waiting.cancel)
    await asyncio.wait({waiting})
    for number in signals:
        loop.remove_signal_handler(number)
    if waiting.cancelled():
        return False
    waiting.result()
    return True
