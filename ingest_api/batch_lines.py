"""The lines of a batch, as its body comes in: newline-delimited JSON, never held whole.

Lines end with a line feed; a carriage return before it is blank space to JSON. The last one may do without. Blank lines
are passed over, and count.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from ingest_api.body_limits import BATCH_LINES_MAX, BATCH_TIMEOUT_S, BODY_BYTES_MAX
from ingest_api.draining import Draining
from ingest_api.problems import ProblemError
from schemas.codes import ProblemCode

CHUNK_LINES_MAX = 500
"""Lines that are published together: enough to share the cost of record batches among them."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line and its number, from 1. ``raw`` is None for a line that is too long."""

    number: int
    raw: bytes | None


class BatchEndedError(Exception):
    """Nothing after line ``number`` - 1 is read; ``problem`` says why."""

    def __init__(self, number: int, problem: ProblemError) -> None:
        super().__init__(problem.detail)
        self.number = number
        self.problem = problem


class LineReader:
    """Cuts a body into lines of at most ``line_bytes_max``, and reads no further than ``lines_max``."""

    def __init__(self, *, lines_max: int = BATCH_LINES_MAX, line_bytes_max: int = BODY_BYTES_MAX) -> None:
        self.lines_max = lines_max
        self._line_bytes_max = line_bytes_max
        self._rest = b""
        self._is_too_long = False  # the line whose end has not come yet, and whose beginning was dropped
        self.count = 0
        """Lines read, blank ones among them; more than ``lines_max`` if there is one too many."""

    def feed(self, data: bytes) -> list[Line]:
        """The lines that end within this part of the body."""
        *ended, rest = (self._rest + data).split(b"\n")
        lines = self._lines(ended)
        self._rest = rest
        if len(rest) > self._line_bytes_max:
            self._rest, self._is_too_long = b"", True
        return lines

    def finish(self) -> list[Line]:
        """The last line, if it has no end."""
        return self._lines([self._rest]) if self._rest or self._is_too_long else []

    def _lines(self, ended: list[bytes]) -> list[Line]:
        lines = []
        left = self.lines_max - self.count
        self.count += min(len(ended), left + 1)
        for number, raw in enumerate(ended[:left], self.lines_max - left + 1):
            if self._is_too_long or len(raw) > self._line_bytes_max:
                self._is_too_long = False
                lines.append(Line(number, None))
            elif raw and not raw.isspace():
                lines.append(Line(number, raw))
        return lines


async def read_lines(receive: Receive, reader: LineReader, draining: Draining) -> AsyncIterator[Sequence[Line]]:
    """Chunks of at most 500 lines, each as soon as its lines are there.

    Raises BatchEndedError when a limit of the batch is passed, or the process has to stop, behind the lines before it,
    and ClientDisconnect.
    """
    deadline_s = asyncio.get_running_loop().time() + BATCH_TIMEOUT_S
    more = True
    while more:
        try:
            async with draining.until(deadline_s):
                message = await receive()
        except TimeoutError:
            raise BatchEndedError(reader.count + 1, _too_slow(draining)) from None
        except ProblemError as problem:  # more bytes than a batch may have
            raise BatchEndedError(reader.count + 1, problem) from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        more = message.get("more_body", False)
        lines = reader.feed(message.get("body", b""))
        if not more:
            lines += reader.finish()
        for start in range(0, len(lines), CHUNK_LINES_MAX):
            yield lines[start : start + CHUNK_LINES_MAX]
        if reader.count > reader.lines_max:
            detail = f"A batch may have at most {reader.lines_max} lines. From this one on, nothing was read."
            raise BatchEndedError(reader.count, ProblemError(413, ProblemCode.BODY_TOO_LARGE, detail))


def _too_slow(draining: Draining) -> ProblemError:
    if draining.has_end:
        return ProblemError(503, ProblemCode.SHUTTING_DOWN)
    return ProblemError(408, ProblemCode.REQUEST_TIMEOUT)
