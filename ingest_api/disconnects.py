"""When a client leaves before its answer is complete."""

from starlette.types import Receive


async def left(receive: Receive) -> None:
    """Return when the client has left, whose request has been read."""
    while (await receive())["type"] != "http.disconnect":
        pass
