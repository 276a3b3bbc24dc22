"""Load over HTTP/1.1 from a process of its own: so many connections, each with one request under way.

Requests are put together before the clock starts, and answers are parsed in C, so that of the two processors as much
as possible is left to the server.
"""

import asyncio
import math
import sys
import time
from collections.abc import Mapping, Sequence

import msgspec
import uvloop

from bench.children import module, our_path, run_to_end
from bench.http_connection import Connection, post
from bench.http_loops import ClosedLoop, Loop, OpenLoop

ANSWER_TIMEOUT_S = 30.0
"""How long after the end an answer may take."""


class Driven(msgspec.Struct, frozen=True, kw_only=True):
    """What the requests came to: ``accepted`` were answered with 2xx, ``refused`` with anything else.

    ``seconds`` run from the first request to the last answer, latencies from a request to the end of its answer. In an
    open loop both begin when a request was due. ``late_s``: how long after its start the client was ready.
    """

    accepted: int
    refused: int
    seconds: float
    client_cpu_s: float
    late_s: float
    p50_ms: float
    p99_ms: float
    p999_ms: float

    @property
    def rate(self) -> float:
        """Accepted requests a second."""
        return self.accepted / self.seconds


class _Closed(msgspec.Struct, frozen=True, tag=True):
    seconds: float
    count: int | None


class _Open(msgspec.Struct, frozen=True, tag=True):
    rate: float
    start_s: float


class _Job(msgspec.Struct, frozen=True):
    url: str
    bodies: Sequence[bytes]
    headers: Mapping[str, str]
    connections: int
    pace: _Closed | _Open


async def drive(
    url: str,
    bodies: Sequence[bytes],
    headers: Mapping[str, str],
    *,
    connections: int,
    seconds: float,
    count: int | None = None,
) -> Driven:
    """A closed loop: POST the bodies in turn, over and over, each as soon as a connection is idle.

    For ``seconds`` or until ``count`` are sent. ``headers`` go with each request; Host and Content-Length are added.
    What is under way at the end is waited for, so that ``accepted`` is what the server took, to the last one.

    Raises RuntimeError when the server cannot be reached, closes a connection, or is silent for half a minute.
    """
    return await _in_a_process(_Job(url, bodies, headers, connections, _Closed(seconds, count)))


async def drive_at(
    url: str,
    bodies: Sequence[bytes],
    headers: Mapping[str, str],
    *,
    rate: float,
    start_s: float,
    connections: int,
) -> Driven:
    """An open loop: POST each body once, body *i* at ``start_s + i / rate`` on ``time.monotonic``.

    With no connection idle then, it goes out on the first that becomes so, and its latency counts from when it was due.
    ``start_s`` should leave a few seconds for the process to start; whatever is due before that goes out all at once,
    and ``late_s`` is above 0. ``headers`` as with `drive`.

    Raises RuntimeError when the server cannot be reached, closes a connection, or has not answered all half a minute
    after the last was due.
    """
    return await _in_a_process(_Job(url, bodies, headers, connections, _Open(rate, start_s)))


async def _in_a_process(job: _Job) -> Driven:
    # Not as arguments: the headers hold a token.
    output = await run_to_end(module("bench.http_client"), our_path(), msgspec.msgpack.encode(job))
    return msgspec.msgpack.decode(output, type=Driven)


async def _run(job: _Job) -> Driven:
    loop = _loop(job)
    connections = [await Connection.open(job.url, loop) for _ in range(job.connections)]
    cpu_began_s = time.process_time()
    loop.start(connections)
    late_s = max(0.0, time.monotonic() - loop.began_s) if isinstance(loop, OpenLoop) else 0.0
    await asyncio.wait_for(loop.done, max(0.0, loop.ends_s - time.monotonic()) + ANSWER_TIMEOUT_S)
    seconds, cpu_s = time.monotonic() - loop.began_s, time.process_time() - cpu_began_s
    latencies = sorted(loop.latencies_s)
    return Driven(
        accepted=loop.accepted,
        refused=loop.refused,
        seconds=seconds,
        client_cpu_s=cpu_s,
        late_s=late_s,
        p50_ms=_percentile_ms(latencies, 0.5),
        p99_ms=_percentile_ms(latencies, 0.99),
        p999_ms=_percentile_ms(latencies, 0.999),
    )


def _loop(job: _Job) -> Loop:
    requests = [post(job.url, job.headers, body) for body in job.bodies]
    match job.pace:
        case _Open(rate=rate, start_s=start_s):
            return OpenLoop(requests, rate, start_s)
        case _Closed(seconds=seconds, count=count):
            return ClosedLoop(requests, seconds, count)


def _percentile_ms(sorted_s: Sequence[float], share: float) -> float:
    return 1000 * sorted_s[min(len(sorted_s) - 1, int(share * len(sorted_s)))] if sorted_s else math.nan


def main() -> None:
    """Read a job, do it, write what it came to."""
    job = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=_Job)
    sys.stdout.buffer.write(msgspec.msgpack.encode(uvloop.run(_run(job))))


if __name__ == "__main__":
    main()
