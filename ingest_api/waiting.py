"""Waiting for what becomes of a transfer, as long as its client wants to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.requests import Request

from ingest_api.caller import caller_of
from ingest_api.disconnects import left
from ingest_api.problems import ProblemError
from ingest_api.receipts import Receipt
from ingest_api.services import Services, services_of
from ingest_api.submission import Accepted, fingerprint_of
from ingest_api.tokens import Caller
from ingest_api.told import owned_row
from ingest_api.visibility import visible_part
from ingest_api.waits import Wait
from schemas.codes import DeadLetterCause, ProblemCode
from schemas.headers import CAUSE, source_offset
from schemas.transfers import decode_outcome
from sinks.directory.transfers import TransferRow
from sinks.errors import DatabaseAwayError
from sinks.kafka.records import Consumed

FOLLOW_TIMEOUT_S = 2.0
"""What connecting to Kafka may take of the time to wait. It takes a twentieth of a second, and only the first time."""


class Deadline:
    """So many seconds from now, in the running loop's time."""

    def __init__(self, wait_s: float) -> None:
        self._end_s = asyncio.get_running_loop().time() + wait_s

    @property
    def left_s(self) -> float:
        """Seconds until then."""
        return max(0.0, self._end_s - asyncio.get_running_loop().time())


class Waiting:
    """A place among those who wait. ``is_told``: whether all that is published from now on is told there."""

    def __init__(self, wait: Wait, *, is_told: bool) -> None:
        self.wait = wait
        self.is_told = is_told


@asynccontextmanager
async def waiting_for(
    services: Services, caller: Caller, transfer_id: str, deadline: Deadline
) -> AsyncIterator[Waiting | None]:
    """A place to wait in for this transfer, taken before it is published, so that nothing is missed.

    None where too many wait: a preference is not more than that.
    """
    is_told = await services.outcomes.following.follow(min(FOLLOW_TIMEOUT_S, deadline.left_s))
    with services.outcomes.waits.one_more(caller.user_id, transfer_id) as wait:
        yield None if wait is None else Waiting(wait, is_told=is_told)


async def outcome_of(request: Request, accepted: Accepted, waiting: Waiting, deadline: Deadline) -> TransferRow | None:
    """What became of a request that has been accepted, as its caller may see it; None if that is not known in time.

    The database is asked where the outcome may be an old one, and at the end, never in between. Raises ProblemError:
    422 where the id was used before for other content, 409 where the request was set aside for another reason.
    """
    services, caller = services_of(request), caller_of(request)
    if accepted.is_replay or not waiting.is_told:
        stored = await _stored(services, caller, accepted)
        if stored is not None:
            return stored
    if await told(request, waiting.wait, accepted.receipt, deadline):
        record = waiting.wait.outcome
        if record is not None:
            row = await owned_row(services.owners, decode_outcome(record.value or b""))
            return _same(caller, accepted, row)
        return await _stored(services, caller, accepted)
    return None


async def told(request: Request, wait: Wait, receipt: Receipt, deadline: Deadline) -> bool:
    """Wait until the outcome is told, the deadline has passed, or no more is told. False if the client has left.

    Raises ProblemError (409, 422) when the very request of this receipt is told to have been set aside.
    """
    gone = asyncio.create_task(left(request.receive), name="wait-disconnect")
    try:
        while wait.outcome is None and not wait.is_over:
            for letter in wait.letters:
                if letter.partition == receipt.partition and source_offset(letter.headers) == receipt.offset:
                    raise _set_aside(letter)
            more = asyncio.ensure_future(wait.more())
            done, _ = await asyncio.wait({more, gone}, timeout=deadline.left_s, return_when=asyncio.FIRST_COMPLETED)
            if more not in done:
                more.cancel()
                return gone not in done
        return True
    finally:
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone


def _set_aside(letter: Consumed) -> ProblemError:
    cause = dict(letter.headers).get(CAUSE)
    if cause == DeadLetterCause.TRANSFER_ID_REUSED.encode():
        return ProblemError(422, ProblemCode.IDEMPOTENCY_KEY_REUSED)
    return ProblemError(409, ProblemCode.TRANSFER_REJECTED)


async def _stored(services: Services, caller: Caller, accepted: Accepted) -> TransferRow | None:
    """The same out of the ledger, if it is there and the database too."""
    receipt = accepted.receipt
    with suppress(DatabaseAwayError):
        found = await services.transfers.find(receipt.transfer_id, receipt.partition)
        if found.row is not None:
            return _same(caller, accepted, found.row)
        if found.next_offset is not None and found.next_offset > receipt.offset:
            raise ProblemError(409, ProblemCode.TRANSFER_REJECTED)
    return None


def _same(caller: Caller, accepted: Accepted, row: TransferRow) -> TransferRow | None:
    if fingerprint_of(caller, row) != accepted.fingerprint:
        raise ProblemError(422, ProblemCode.IDEMPOTENCY_KEY_REUSED)
    return visible_part(caller, row)
