"""What a page is sent: one event after another, until it closes."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from ops.dashboard.pulse import Pulse
from ops.dashboard.streams import Streams


@asynccontextmanager
async def look_stream(pulse: Pulse, streams: Streams, user_id: str) -> AsyncIterator[AsyncGenerator[bytes]]:
    """What the pulse makes, from now on. Raises ProblemError (429, 503) where too many streams are open."""
    with streams.one_more(user_id):
        yield _looks(pulse)


async def _looks(pulse: Pulse) -> AsyncGenerator[bytes]:
    number, event = pulse.first_event()
    while True:
        yield event
        number, event = await pulse.event_after(number)
