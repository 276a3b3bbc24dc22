"""What the page shows live, and the history of one partition."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from ingest_api.caller import OpsRoute, caller_of
from ingest_api.draining import draining_of
from ingest_api.event_stream import EventStream
from ingest_api.examples import answers
from ingest_api.problem_responses import problems
from ingest_api.problems import ProblemError
from ingest_api.services import services_of
from ops.dashboard.board import board_of
from ops.dashboard.bodies import PartitionHistory
from ops.dashboard.columns import column
from ops.dashboard.look_stream import look_stream
from schemas.codes import ProblemCode

PARTITION_MAX = 2**31 - 1
GROUP_CHARS_MAX = 255

router = APIRouter(tags=["dashboard"], route_class=OpsRoute)


@router.get("/ops/events", include_in_schema=False)
async def stream_looks(request: Request) -> Response:
    """Server-sent events: `start` with all there is and a quarter of an hour before it, then `look` every 2 s."""
    board, caller = board_of(request), caller_of(request)
    opened = look_stream(board.pulse, board.streams, caller.user_id)
    leaving, is_over = draining_of(request).leaving, services_of(request).access.is_over
    return EventStream(opened, caller, leaving=leaving, is_over=is_over)


@router.get(
    "/ops/lag/{group}/{partition}",
    responses=answers(
        200, {"group": "hfts-transfers", "partition": 3, "at": [1896091198000], "lag": "0", "next": "119"}
    )
    | problems(401, 403, ProblemCode.NOT_FOUND, 422),
)
async def read_partition_history(
    request: Request,
    group: Annotated[str, Path(min_length=1, max_length=GROUP_CHARS_MAX, pattern="^[a-zA-Z0-9._-]+$")],
    partition: Annotated[int, Path(ge=0, le=PARTITION_MAX)],
) -> PartitionHistory:
    """How far a consumer group was behind in one partition over the last quarter of an hour."""
    points = board_of(request).history.partition(group, partition)
    if not points:
        raise ProblemError(404, ProblemCode.NOT_FOUND, "Of this group and partition nothing has been seen.")
    return PartitionHistory(
        group=group,
        partition=partition,
        at=[round(at_s * 1000) for at_s, _, _ in points],
        lag=column(lag for _, lag, _ in points),
        next=column(offset for _, _, offset in points),
    )
