"""What a worker tells over HTTP: that it lives, whether it can work, and its metrics."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streams.readiness import Readiness

CLOSE_TIMEOUT_S = 1.0

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def status_served(listener: socket.socket, readiness: Readiness) -> AsyncIterator[None]:
    """Answer on this socket until the end of the block, then close it."""
    host, port = listener.getsockname()[:2]
    runner = web.AppRunner(create_app(readiness), access_log=None, shutdown_timeout=CLOSE_TIMEOUT_S)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    _log.info("worker.listening", host=host, port=port)
    try:
        yield
    finally:
        await runner.cleanup()


def create_app(readiness: Readiness) -> web.Application:
    """``/healthz``, ``/readyz`` and ``/metrics``. For probes and Prometheus: whoever reaches it learns of servers."""

    async def is_alive(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def is_ready(_: web.Request) -> web.Response:
        missing = await readiness.missing()
        if not missing:
            return web.json_response({"status": "ready"})
        return web.json_response(
            {"status": "not ready", "missing": [one._asdict() for one in missing]},
            status=503,
            headers={"Cache-Control": "no-store"},
        )

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/healthz", is_alive), web.get("/readyz", is_ready), web.get("/metrics", metrics)])
    return app
