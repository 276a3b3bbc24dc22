"""Whether a host name has an address."""

import asyncio
import contextlib
import socket
import threading

NAME_TIMEOUT_S = 3.0


async def name_fault(host: str) -> str | None:
    """Why there is no address for this name or address, or None. Takes 3 s at most.

    The system's resolver can take half a minute and cannot be interrupted, so it is asked in a thread of which nobody
    waits for the end: a thread of the event loop's pool would hold up the end of the process.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str | None] = loop.create_future()

    def settle(fault: str | None) -> None:
        if not answer.done():
            answer.set_result(fault)

    def look() -> None:
        fault = _look_up(host)
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, fault)

    threading.Thread(target=look, name="resolver", daemon=True).start()
    try:
        async with asyncio.timeout(NAME_TIMEOUT_S):
            return await answer
    except TimeoutError:
        return f"the name servers did not answer within {NAME_TIMEOUT_S:g} s"


def _look_up(host: str) -> str | None:
    try:
        socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        return error.strerror or type(error).__name__
    except UnicodeError:
        return "it cannot be a name"
    return None
