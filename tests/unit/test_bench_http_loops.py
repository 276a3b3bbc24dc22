"""The open loop with connections that never leave memory."""

import time
from typing import cast

from bench.http_connection import Connection
from bench.http_loops import OpenLoop

REQUESTS = [b"0", b"1", b"2", b"3", b"4"]
RATE = 1_000.0


class Line:
    """Remembers what it was given, and since when that counts."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, float]] = []

    def send(self, request: bytes, since_s: float) -> None:
        self.sent.append((request, since_s))


async def test_what_is_overdue_waits_for_an_idle_connection_and_counts_from_when_it_was_due() -> None:
    start_s = time.monotonic() - 1
    loop = OpenLoop(REQUESTS, RATE, start_s)
    lines = [Line(), Line()]
    connections = [cast("Connection", line) for line in lines]
    loop.start(connections)
    for turn in (1, 0, 1, 0, 1):
        assert not loop.done.done()
        loop.answered(202, 1.0)
        loop.idle(connections[turn])
    assert loop.done.done()
    due = [(request, start_s + index / RATE) for index, request in enumerate(REQUESTS)]
    assert lines[0].sent == [due[0], due[3]]
    assert lines[1].sent == [due[1], due[2], due[4]]
    assert (loop.accepted, loop.refused) == (5, 0)


async def test_nothing_goes_out_before_it_is_due() -> None:
    line = Line()
    loop = OpenLoop(REQUESTS, RATE, time.monotonic() + 3_600)
    loop.start([cast("Connection", line)])
    assert line.sent == []


async def test_without_requests_it_is_over_at_once() -> None:
    loop = OpenLoop([], RATE, time.monotonic())
    loop.start([cast("Connection", Line())])
    assert loop.done.done()
