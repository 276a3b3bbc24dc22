"""A watch that Prometheus hears of for as long as it goes on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from prometheus_client import REGISTRY
from prometheus_client.registry import Collector

from ops.background import going_on


@asynccontextmanager
async def watching(
    run: Callable[[asyncio.Event], Coroutine[Any, Any, None]], name: str, metrics: Collector
) -> AsyncIterator[None]:
    """Watch until the end of the block, which the event tells of."""
    ending = asyncio.Event()
    REGISTRY.register(metrics)
    try:
        async with going_on(run(ending), name, ending):
            yield
    finally:
        REGISTRY.unregister(metrics)
