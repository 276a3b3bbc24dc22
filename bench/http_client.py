"""A closed loop over HTTP/1.1: so many connections, each with one request under way, from a process of its own.

Requests are put together before the clock starts, and answers are parsed in C, so that of the two processors as much
as possible is left to the server.
"""

import asyncio
import itertools
import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import cast
from urllib.parse import urlsplit

import httptools
import msgspec
import uvloop

from bench.children import module, our_path, run_to_end

ANSWER_TIMEOUT_S = 30.0
"""How long after the end an answer may take."""

HTTP_PORT = 80
HTTP_ERROR_MIN = 300


class Driven(msgspec.Struct, frozen=True, kw_only=True):
    """What the requests came to: ``accepted`` were answered with 2xx, ``refused`` with anything else.

    ``seconds`` run from the first request to the last answer, latencies from a request to the end of its answer.
    """

    accepted: int
    refused: int
    seconds: float
    client_cpu_s: float
    p50_ms: float
    p99_ms: float
    p999_ms: float

    @property
    def rate(self) -> float:
        """Accepted requests a second."""
        return self.accepted / self.seconds


class _Job(msgspec.Struct, frozen=True):
    url: str
    bodies: list[bytes]
    headers: dict[str, str]
    connections: int
    seconds: float
    count: int | None


async def drive(
    url: str,
    bodies: Sequence[bytes],
    headers: Mapping[str, str],
    *,
    connections: int,
    seconds: float,
    count: int | None = None,
) -> Driven:
    """POST the bodies in turn, again from the start after the last, for ``seconds`` or until ``count`` are sent.

    ``headers`` go with each request; Host and Content-Length are added. What is under way at the end is waited for, so
    that ``accepted`` is what the server took, to the last one.

    Raises RuntimeError when the server cannot be reached, closes a connection, or is silent for half a minute.
    """
    job = _Job(url, list(bodies), dict(headers), connections, seconds, count)
    # Not as arguments: the headers hold a token.
    output = await run_to_end(module("bench.http_client"), our_path(), msgspec.msgpack.encode(job))
    return msgspec.msgpack.decode(output, type=Driven)


class _Loop:
    """What the connections share: the requests to come and what became of those before."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self._requests = requests
        self._open = 0
        self.ends_s = math.inf
        self.accepted = 0
        self.refused = 0
        self.latencies_s: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self, connections: "Sequence[_Connection]", seconds: float) -> None:
        self._open = len(connections)
        self.ends_s = time.perf_counter() + seconds
        for connection in connections:
            connection.send_next()

    def next_request(self) -> bytes | None:
        """None once it is over; then the connection that asked is done."""
        request = next(self._requests, None) if time.perf_counter() < self.ends_s else None
        if request is None:
            self._open -= 1
            if not self._open and not self.done.done():
                self.done.set_result(None)
        return request

    def answered(self, status: int, latency_s: float) -> None:
        self.latencies_s.append(latency_s)
        if status < HTTP_ERROR_MIN:
            self.accepted += 1
        else:
            self.refused += 1

    def lost(self) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError("the server closed a connection"))


class _Connection(asyncio.Protocol):
    """One connection: sends a request, waits for the whole answer, sends the next."""

    def __init__(self, loop: _Loop) -> None:
        self._loop = loop
        self._parser = httptools.HttpResponseParser(self)
        self._sent_s = 0.0
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # a TCP connection's

    def send_next(self) -> None:
        request = self._loop.next_request()
        if request is not None:
            self._sent_s = time.perf_counter()
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Called by the parser at the end of an answer."""
        self._loop.answered(self._parser.get_status_code(), time.perf_counter() - self._sent_s)
        self.send_next()

    def connection_lost(self, _: Exception | None) -> None:
        self._loop.lost()


async def _run(job: _Job) -> Driven:
    address = urlsplit(job.url)
    host, port = address.hostname or "", address.port or HTTP_PORT
    requests = [_request(address.netloc, address.path, job.headers, body) for body in job.bodies]
    loop = _Loop(itertools.islice(itertools.cycle(requests), job.count))
    connections = [
        (await asyncio.get_running_loop().create_connection(lambda: _Connection(loop), host, port))[1]
        for _ in range(job.connections)
    ]
    began_s, cpu_began_s = time.perf_counter(), time.process_time()
    loop.start(connections, job.seconds)
    await asyncio.wait_for(loop.done, job.seconds + ANSWER_TIMEOUT_S)
    seconds, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_began_s
    latencies = sorted(loop.latencies_s)
    return Driven(
        accepted=loop.accepted,
        refused=loop.refused,
        seconds=seconds,
        client_cpu_s=cpu_s,
        p50_ms=_percentile_ms(latencies, 0.5),
        p99_ms=_percentile_ms(latencies, 0.99),
        p999_ms=_percentile_ms(latencies, 0.999),
    )


def _request(host: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "\r\n"]).encode("latin-1") + body


def _percentile_ms(sorted_s: Sequence[float], share: float) -> float:
    return 1000 * sorted_s[min(len(sorted_s) - 1, int(share * len(sorted_s)))] if sorted_s else math.nan


def main() -> None:
    """Read a job, do it, write what it came to."""
    job = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=_Job)
    sys.stdout.buffer.write(msgspec.msgpack.encode(uvloop.run(_run(job))))


if __name__ == "__main__":
    main()
