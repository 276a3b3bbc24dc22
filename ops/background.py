"""Work that goes on beside a block, and ends with it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

GRACE_S = 2.0
CANCELLED_AGAIN_AFTER_S = 1.0


@asynccontextmanager
async def going_on(
    work: Coroutine[Any, Any, None], name: str, ending: asyncio.Event | None = None
) -> AsyncIterator[None]:
    """Do the work in a task of this name until the end of the block, and raise there what it has failed with.

    Work that heeds ``ending`` gets two seconds to end by itself: aiokafka leaves a connection open that it is cancelled
    over. Then it is cancelled until it has ended: a cancellation that meets a client while it closes may be swallowed.
    """
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        if ending is not None:
            ending.set()
            await asyncio.wait({task}, timeout=GRACE_S)
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=CANCELLED_AGAIN_AFTER_S)
    if not task.cancelled():
        task.result()


async def pause(ending: asyncio.Event, seconds: float) -> None:
    """Sleep for so long, or until the end is asked for."""
    with suppress(TimeoutError):
        await asyncio.wait_for(ending.wait(), seconds)
