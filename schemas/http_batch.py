"""Lines of a batch of transfers: what comes in, and what goes out for each."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.http import NewTransfer, Output, Problem

KEY_PATTERN = r"^[\x20-\x7e]{1,255}$"
"""An idempotency key: printable ASCII."""

Key = Annotated[str, Field(pattern=KEY_PATTERN, max_length=255, description="As the header Idempotency-Key.")]


class NewTransferLine(NewTransfer):
    """Money to move. Give a `transfer_id` or an `idempotency_key` to be able to retry safely, not both."""

    idempotency_key: Key | None = None


class AcceptedLine(Output):
    """The brokers hold the transfer of this line, on all of their in-sync replicas. Its outcome is at `location`."""

    line: int = Field(ge=1, description="Counted from 1; blank lines count, and have no result.")
    transfer_id: str
    status: Literal["PENDING"]
    location: str


class RefusedLine(Problem):
    """Why this line was not accepted; the others are not concerned, unless it says that nothing more was read."""

    line: int = Field(ge=1)
