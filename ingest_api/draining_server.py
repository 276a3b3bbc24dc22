"""uvicorn's server, which gives a load balancer the time to look elsewhere before it takes no more connections."""

import asyncio
import math
import signal
import time
from socket import socket
from types import FrameType

import structlog
import uvicorn

from ingest_api.draining import Draining

SHUTDOWN_TIMEOUT_S = 10
"""For requests under way, once no new ones come in."""

SENDING_S_MAX = 5.0
"""Of these, how long a client may go on sending a batch. What is left is for the results."""

_log = structlog.get_logger(__name__)


class DrainingServer(uvicorn.Server):
    """Goes on serving for ``delay_s`` after SIGTERM, with ``draining`` begun.

    SIGINT does without that, and a second signal cuts it short.
    """

    def __init__(self, config: uvicorn.Config, draining: Draining, delay_s: float) -> None:
        super().__init__(config)
        self._draining = draining
        self._delay_s = delay_s
        self._stop_s = math.inf

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by the signal."""
        if sig == signal.SIGTERM and self._delay_s and not self._draining.has_begun:
            self._stop_s = time.monotonic() + self._delay_s
        else:
            super().handle_exit(sig, frame)
        self._draining.begin()

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second; whether to stop."""
        return await super().on_tick(counter) or time.monotonic() >= self._stop_s

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Take no more connections, and finish the requests under way."""
        _log.info("api.stopping", connections=len(self.server_state.connections))
        self._draining.end_at(asyncio.get_running_loop().time() + SENDING_S_MAX)
        await super().shutdown(sockets)
