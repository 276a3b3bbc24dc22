"""Watches the lag for as long as the process runs, whatever becomes of workers, brokers and the database."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

import asyncpg
import structlog
from aiokafka.errors import KafkaError

from ops.background import pause
from ops.lag.looks import Look, looks_at
from ops.lag.waiting import BESIDE_OTHERS
from ops.monitor.lag_metrics import LagMetrics, Seen
from ops.monitor.watching import watching
from ops.topic_reader import TopicReadError
from schemas.settings import Settings

INTERVAL_S = 2.0
RETRY_S = 5.0

LOOK_S_MAX = 30.0
"""A look that takes longer hangs on a broker or the database, and is begun again over new connections."""

OnLook = Callable[[Seen], None]
"""Told of each look."""

_FAULTS = (TopicReadError, KafkaError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)

_log = structlog.get_logger(__name__)


class LagWatch:
    """Holds the last look that succeeded, and tells ``on_look`` of each."""

    def __init__(self, settings: Settings, on_look: OnLook) -> None:
        self._settings = settings
        self._on_look = on_look
        self.seen: Seen | None = None
        self.failures = 0

    async def run(self, ending: asyncio.Event) -> None:
        """Look again and again until the end is asked for."""
        while not ending.is_set():
            try:
                await self._follow(ending)
            except _FAULTS as error:
                self.failures += 1
                _log.warning("lag.unreadable", error=f"{type(error).__name__}: {error}")
                await pause(ending, RETRY_S)

    async def _follow(self, ending: asyncio.Event) -> None:
        async with aclosing(looks_at(self._settings, every_s=0, effort=BESIDE_OTHERS)) as looks:
            while not ending.is_set():
                async with asyncio.timeout(LOOK_S_MAX):
                    self._keep(await anext(looks))
                await pause(ending, INTERVAL_S)

    def _keep(self, look: Look) -> None:
        self.seen = Seen(look, time.time())
        self._on_look(self.seen)


@asynccontextmanager
async def lag_watched(settings: Settings, on_look: OnLook = lambda _seen: None) -> AsyncIterator[LagWatch]:
    """Watch, and tell Prometheus, until the end of the block."""
    watch = LagWatch(settings, on_look)
    metrics = LagMetrics(lambda: watch.seen, lambda: watch.failures)
    async with watching(watch.run, "lag-watch", metrics):
        yield watch
