"""What runs beside the agents in a worker's event loop, and ends after them."""

import logging
from contextlib import AbstractAsyncContextManager

import faust


class Beside(faust.Service):
    """A context that is open from the start of this service until its stop."""

    logger = logging.getLogger("faust.beside")  # Faust's own remarks are not ours

    def __init__(self, context: AbstractAsyncContextManager[object]) -> None:
        super().__init__()
        self._context = context

    async def on_start(self) -> None:
        """Enter the context. It is left once the service has stopped."""
        await self.add_async_context(self._context)
