"""A webhook as its owner would run it: verifies signatures, keeps what it got, answers as a test says."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from multidict import CIMultiDict


class WebhookSite:
    """``answer`` is the status of each answer, with ``headers``."""

    def __init__(self) -> None:
        self.answer = 200
        self.headers: Mapping[str, str] = {}
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.port = 0

    async def take(self, request: web.Request) -> web.Response:
        """A call."""
        self.calls.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return web.Response(status=self.answer, headers=CIMultiDict(self.headers), body=b"x" * 100_000)


@asynccontextmanager
async def webhook_site() -> AsyncIterator[WebhookSite]:
    """One on a free port of the loopback interface."""
    site = WebhookSite()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", site.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        site.port = runner.addresses[0][1]
        yield site
    finally:
        await runner.cleanup()
