"""The way of one transfer."""

from uuid import UUID

from fastapi import APIRouter, Request

from ingest_api.caller import OpsRoute
from ingest_api.examples import answers
from ingest_api.problem_responses import problems
from ingest_api.problems import transfer_not_found
from ops.dashboard.board import board_of
from ops.dashboard.bodies import TransferPath
from ops.dashboard.faults import AWAY, as_problems
from ops.dashboard.samples import PATH
from ops.dashboard.trace import trace_transfer
from schemas.codes import ProblemCode

router = APIRouter(tags=["dashboard"], route_class=OpsRoute)


@router.get(
    "/ops/transfers/{transfer_id}",
    responses=answers(200, PATH) | problems(401, 403, ProblemCode.TRANSFER_NOT_FOUND, 422, *AWAY),
)
async def trace(request: Request, transfer_id: UUID) -> TransferPath:
    """Where a transfer stands on each topic, what its row says, and whether its outcome and audit record agree with it.

    404: no such transfer has been applied. Its request may wait still, or be a dead letter.
    """
    board = board_of(request)
    with board.errands.one_more(), as_problems():
        found = await trace_transfer(board.settings, board.database, str(transfer_id))
    if found is None:
        raise transfer_not_found()
    return found
