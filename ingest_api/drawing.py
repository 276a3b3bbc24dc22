"""How much a draw on an earlier transfer takes when its sender leaves that open."""

from ingest_api.problems import ProblemError
from ingest_api.services import Services
from schemas.codes import ProblemCode
from sinks.directory.holds import DrawableRow

NOTHING = "0.0000"


async def drawn_before(services: Services, transfer_id: str | None, parent_id: str) -> str | None:
    """The amount of the draw that came to be under this id, if the same was sent before. Raises DatabaseAwayError."""
    if transfer_id is None:
        return None
    row = (await services.transfers.find(transfer_id, None)).row
    return row.amount if row is not None and row.parent_id == parent_id else None


def amount_to_draw(parent: DrawableRow, amount: str | None, before: str | None) -> str:
    """What was asked for, or what it was the first time, or all that is left. Raises ProblemError (409)."""
    if amount is not None:
        return amount
    if before is not None:
        return before
    if parent.remaining == NOTHING:
        raise ProblemError(409, ProblemCode.NOTHING_LEFT)
    return parent.remaining
