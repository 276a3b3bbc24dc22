"""Dead letters: to list, to read, to put back, to set aside. What `hfts dlq` does, done by the caller's name."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request

from ingest_api.caller import OpsRoute, caller_of
from ingest_api.examples import answers, takes
from ingest_api.problem_responses import problems
from ingest_api.problems import unauthenticated
from ingest_api.services import services_of
from ops.dashboard.board import board_of
from ops.dashboard.bodies import (
    ADDRESS_PATTERN,
    AGE_PATTERN,
    Letter,
    LetterPage,
    Letters,
    LettersChanged,
    LettersReplayed,
    LettersToDiscard,
)
from ops.dashboard.faults import AWAY, as_problems
from ops.dashboard.letter_bodies import letter_of, summary_of
from ops.dashboard.samples import ADDRESS, LETTER, LETTER_SUMMARY
from ops.dlq.address import parse_address
from ops.dlq.discard import DiscardReport, discard_letters, undo_discard
from ops.dlq.listing import find_letter
from ops.dlq.moments import parse_moment
from ops.dlq.options import STATES
from ops.dlq.page import page_of_letters
from ops.dlq.replay import replay_letters
from ops.dlq.selection import Selection, State
from schemas.codes import DeadLetterCause, ProblemCode
from schemas.http import Id

router = APIRouter(tags=["dashboard"], route_class=OpsRoute)

PARTITION_MAX = 2**31 - 1

Limit = Annotated[int, Query(ge=1, le=100, description="Letters on the page.")]
After = Annotated[str | None, Query(pattern=ADDRESS_PATTERN, description="The `go_on_after` of the page before.")]
Partition = Annotated[int | None, Query(ge=0, le=PARTITION_MAX)]
Within = Annotated[str | None, Query(pattern=AGE_PATTERN, description="Written within the last `30m`, `2h` or `7d`.")]
TransferId = Annotated[Id | None, Query(description="Of the request, where that much of it can be read.")]


_READING = problems(401, 403, ProblemCode.LETTER_NOT_FOUND, 422, *AWAY)
_CHANGING = problems(
    *(400, 401, 403, ProblemCode.LETTER_NOT_FOUND, ProblemCode.LETTERS_BUSY, ProblemCode.LETTER_NOT_REPLAYABLE),
    *(413, 422, *AWAY),
)
_ADDRESSES = {"addresses": [ADDRESS]}
_CHANGED = answers(200, {"changed": 1, "left": {}})


@router.get("/ops/dead-letters", responses=answers(200, {"data": [LETTER_SUMMARY], "go_on_after": None}) | _READING)
async def list_letters(
    request: Request,
    *,
    state: Literal["open", "replayed", "discarded", "all"] = "open",
    cause: DeadLetterCause | Literal["unreadable"] | None = None,
    partition: Partition = None,
    within: Within = None,
    transfer_id: TransferId = None,
    limit: Limit = 50,
    starting_after: After = None,
) -> LetterPage:
    """A page of dead letters, in the order of partitions and offsets."""
    board = board_of(request)
    selection = Selection(
        causes=frozenset() if cause is None else frozenset({str(cause)}),
        partitions=frozenset() if partition is None else frozenset({partition}),
        since=None if within is None else parse_moment(within, datetime.now(UTC)),
        after=None if starting_after is None else parse_address(starting_after),
    )
    with board.errands.one_more(), as_problems():
        found = await page_of_letters(
            board.settings, selection, STATES[state], count_max=limit, transfer_id=transfer_id
        )
    return LetterPage(
        data=[summary_of(known) for known in found.found],
        go_on_after=None if found.go_on_after is None else str(found.go_on_after),
    )


@router.get("/ops/dead-letters/{address}", responses=answers(200, LETTER) | _READING)
async def read_letter(request: Request, address: Annotated[str, Path(pattern=ADDRESS_PATTERN)]) -> Letter:
    """Everything about one dead letter, with its bytes."""
    board = board_of(request)
    with board.errands.one_more(), as_problems():
        return letter_of(board.settings, await find_letter(board.settings, parse_address(address)))


@router.post(
    "/ops/replays",
    responses=answers(200, {"replayed": 1, "left": {}, "no_requests": 0, "undecided": 0}) | _CHANGING,
    openapi_extra=takes(_ADDRESSES),
)
async def replay(request: Request, body: Letters) -> LettersReplayed:
    """Put open letters back on the topic of requests, each exactly once, whoever else does the same."""
    board = board_of(request)
    with board.errands.one_more(), as_problems():
        report = await replay_letters(board.settings, _selected(body), actor=await _actor(request))
    return LettersReplayed(
        replayed=report.replayed.total(),
        left=_by_state(report.left),
        no_requests=report.no_requests,
        undecided=report.settled.undecided,
    )


@router.post(
    "/ops/discards",
    responses=_CHANGED | _CHANGING,
    openapi_extra=takes({**_ADDRESSES, "reason": "sent again by the producer"}),
)
async def discard(request: Request, body: LettersToDiscard) -> LettersChanged:
    """Mark open letters as discarded: nobody needs them. They stay on their topic."""
    board = board_of(request)
    with board.errands.one_more(), as_problems():
        actor = await _actor(request)
        report = await discard_letters(board.settings, _selected(body), reason=body.reason, actor=actor)
    return _changed(report)


@router.post("/ops/reopenings", responses=_CHANGED | _CHANGING, openapi_extra=takes(_ADDRESSES))
async def reopen(request: Request, body: Letters) -> LettersChanged:
    """Take discards back."""
    board = board_of(request)
    with board.errands.one_more(), as_problems():
        await _actor(request)
        report = await undo_discard(board.settings, _selected(body))
    return _changed(report)


def _selected(body: Letters) -> Selection:
    return Selection(addresses=frozenset(map(parse_address, body.addresses)))


async def _actor(request: Request) -> str:
    """The caller's e-mail, which is noted with what is done. Raises ProblemError (401) where the account is closed."""
    found = await services_of(request).users.find(caller_of(request).user_id)
    if found is None or found.status != "active":
        raise unauthenticated("The account is no longer active.")
    return found.email


def _changed(report: DiscardReport) -> LettersChanged:
    return LettersChanged(changed=report.changed.total(), left=_by_state(report.left))


def _by_state(counts: dict[State, int]) -> dict[str, int]:
    return {str(state): count for state, count in counts.items()}
