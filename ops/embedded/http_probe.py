"""Asks an HTTP server on this machine whether it is well."""

import asyncio

_TIMEOUT_S = 5.0


async def answers_ok(host: str, port: int, path: str) -> bool:
    """Whether a GET of the path is answered with status 200. False when nobody answers in five seconds."""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
                await writer.drain()
                status_line = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return status_line.split(b" ")[1:2] == [b"200"]
