"""Batches: any number of transfers, a bounded number of them in memory."""

from collections.abc import AsyncIterable, Iterable
from dataclasses import dataclass, field

import msgspec

from hfts_client.answers import Problem, encoded, error_of_line
from hfts_client.api import Api
from hfts_client.effects import END, Answer, Emit, Operation, Pull, Request, Sleep, Stream
from hfts_client.errors import ApiError, BadAnswerError, HftsError, UnavailableError
from hfts_client.models import AcceptedLine
from hfts_client.orders import NewTransfer
from hfts_client.paths import TRANSFERS
from hfts_client.retries import Attempts, may_repeat

PATH = f"{TRANSFERS}/batch"
NDJSON = "application/x-ndjson"

CHUNK_LINES = 1_000
"""Lines of one request. The API takes ten times as many."""

CHUNK_BYTES_MAX = 4 * 1024 * 1024
"""The API takes four times as many."""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of one transfer of a batch: ``accepted`` or an ``error``. ``index`` counts from 0."""

    index: int
    transfer: NewTransfer
    accepted: AcceptedLine | None
    error: ApiError | None = None


class _Line(msgspec.Struct, frozen=True):
    line: int
    code: str | None = None


@dataclass(slots=True)
class _Chunk:
    """Transfers of one request. ``results`` and ``open`` are by their places here."""

    start: int
    transfers: list[NewTransfer] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    results: dict[int, AcceptedLine | ApiError] = field(default_factory=dict)
    refusals: dict[int, ApiError] = field(default_factory=dict)
    """Refused for now; to be sent again."""

    def open(self) -> list[int]:
        """Places without a result, in order."""
        return [place for place in range(len(self.lines)) if place not in self.results]


def batch(api: Api, transfers: Iterable[NewTransfer]) -> Stream[BatchResult]:
    """Submit transfers, any number of them, and yield a result for each, in order.

    They are read as they are needed, and sent a thousand at a time; lines that were not accepted for now, and lines
    without a result, are sent again under the same keys. When the API stays away, what is known is yielded and
    ConnectionFailedError or ApiError is raised: to go on later, give keys or ids of your own.
    """
    return _batch(api, iter(transfers))


def batch_of_any(api: Api, transfers: Iterable[NewTransfer] | AsyncIterable[NewTransfer]) -> Stream[BatchResult]:
    """Submit transfers, as `batch` of the blocking client does; they may come asynchronously."""
    return _batch(api, aiter(transfers) if isinstance(transfers, AsyncIterable) else iter(transfers))


def _batch(api: Api, source: object) -> Stream[BatchResult]:
    start, held_back = 0, None
    while True:
        chunk = _Chunk(start)
        held_back = yield from _fill(chunk, source, held_back)
        if not chunk.lines:
            return
        failure: HftsError | None = None
        try:
            yield from _submit(api, chunk)
        except HftsError as error:
            failure = error
        for place, result in sorted(chunk.results.items()):
            yield Emit(_result(start + place, chunk.transfers[place], result))
        if failure is not None:
            raise failure
        start += len(chunk.lines)


def _result(index: int, transfer: NewTransfer, result: AcceptedLine | ApiError) -> BatchResult:
    if isinstance(result, ApiError):
        return BatchResult(index, transfer, None, result)
    return BatchResult(index, transfer, result)


def _fill(chunk: _Chunk, source: object, first: NewTransfer | None) -> Operation[NewTransfer | None]:
    """Take as many as there is room for; what is returned belongs into the next chunk."""
    size = 0
    while len(chunk.lines) < CHUNK_LINES:
        transfer = first or (yield Pull(source))
        first = None
        if transfer is END:
            break
        line = encoded(transfer.line())
        size += len(line) + 1
        if chunk.lines and size > CHUNK_BYTES_MAX:
            return transfer
        chunk.transfers.append(transfer)
        chunk.lines.append(line)
    return None


def _submit(api: Api, chunk: _Chunk) -> Operation[None]:
    """Send what has no result until all have one. Refusals that do not go away become results."""
    attempts = Attempts(api.retry)
    while places := chunk.open():
        chunk.refusals.clear()
        content = b"\n".join(chunk.lines[place] for place in places)
        request = Request("POST", PATH, headers={"Content-Type": NDJSON}, content=content)
        answer = yield from api.call(request, attempts=attempts)
        _take_results(answer, places, chunk)
        if not chunk.open():
            return
        delay_s = attempts.next_delay_s()
        if delay_s is None:
            chunk.results.update(chunk.refusals)
            if chunk.open():
                raise UnavailableError(503, "", "the API gave no result for some lines", request_id=answer.request_id)
            return
        yield Sleep(delay_s)


def _take_results(answer: Answer, places: list[int], chunk: _Chunk) -> None:
    by_number = dict(enumerate(places, 1))
    for raw in answer.content.splitlines():
        try:
            line = msgspec.json.decode(raw, type=_Line)
            place = by_number[line.line]
            if line.code is None:
                chunk.results[place] = msgspec.json.decode(raw, type=AcceptedLine)
                continue
            error = error_of_line(msgspec.json.decode(raw, type=Problem))
        except (msgspec.DecodeError, KeyError):
            raise BadAnswerError("a batch was answered by what are no results of its lines") from None
        if may_repeat(error, is_repeatable=True):
            chunk.refusals[place] = error
        else:
            chunk.results[place] = error
