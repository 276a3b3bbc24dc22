"""How much a draw on an earlier transfer takes when its sender leaves that open."""

from ingest_api.bounded_cache import BoundedCache
from ingest_api.problems import ProblemError
from schemas.codes import ProblemCode
from sinks.directory.holds import DrawableRow
from sinks.directory.transfers import Transfers

NOTHING = "0.0000"
REMEMBERED_MAX = 20_000


class OpenAmounts:
    """What took the place of amounts that were left open: the same whenever a draw is sent again.

    The ledger has it once the draw is applied. Until then, also when the brokers did not confirm it, this process
    remembers it: meanwhile another draw may leave less.
    """

    def __init__(self, transfers: Transfers) -> None:
        self._transfers = transfers
        self._recent: BoundedCache[tuple[str, str], str] = BoundedCache(REMEMBERED_MAX)

    async def choose(self, parent: DrawableRow, transfer_id: str | None) -> str:
        """What it was the first time, or all that is left. ``transfer_id`` is the draw's, where its client chose it.

        Raises ProblemError (409) and DatabaseAwayError.
        """
        if transfer_id is not None:
            row = (await self._transfers.find(transfer_id, None)).row
            if row is not None and row.parent_id == parent.transfer_id:
                return row.amount
            before = self._recent.get((transfer_id, parent.transfer_id))
            if before is not None:
                return before
        if parent.remaining == NOTHING:
            raise ProblemError(409, ProblemCode.NOTHING_LEFT)
        if transfer_id is not None:
            self._recent.put((transfer_id, parent.transfer_id), parent.remaining)
        return parent.remaining
