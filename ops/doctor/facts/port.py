"""Whether the API could listen where it is told to, and who does so already."""

import asyncio
import os
import socket
from dataclasses import dataclass

from schemas.settings import Settings

ASK_TIMEOUT_S = 2.0
ANSWER_BYTES_MAX = 64 * 1024

_OUR_METRICS = b"hfts_http_requests"
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 (read, not listened on)


@dataclass(frozen=True, slots=True)
class Port:
    """``fault`` is the system's reason why nobody can listen there now, ``is_ours`` whether an API of ours does."""

    host: str
    port: int
    fault: str | None = None
    is_ours: bool = False


async def read_port(settings: Settings) -> Port:
    """Try to take the port, and give it back."""
    host, port = settings.api_host, settings.api_port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            fault = os.strerror(error.errno) if error.errno and error.errno > 0 else "there is no such address"
        else:
            return Port(host, port)
    return Port(host, port, fault, is_ours=await _is_ours(_ANYWHERE.get(host, host), port))


async def _is_ours(host: str, port: int) -> bool:
    request = f"GET /metrics HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
    answer = b""
    try:
        async with asyncio.timeout(ASK_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(request.encode())
                while len(answer) < ANSWER_BYTES_MAX and (more := await reader.read(ANSWER_BYTES_MAX)):
                    answer += more
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return _OUR_METRICS in answer
