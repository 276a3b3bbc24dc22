"""Who may see what of a transfer."""

from dataclasses import replace

from ingest_api.tokens import Caller
from schemas.access import Right
from sinks.directory.transfers import TransferRow


def sees_all(caller: Caller) -> bool:
    """Whether the caller may read what is anybody's. This says nothing of moving money."""
    return caller.may(Right.READ_ALL)


def visible_part(caller: Caller, row: TransferRow) -> TransferRow | None:
    """The row as the caller may see it, or None where it may not know of it.

    Who may read everything sees all. The sender sees the outcome and its own balance; the receiver a completed
    transfer and its own balance. Of the other party they see the wallet's id, no more.
    """
    if sees_all(caller):
        return row
    is_sender = row.source_user_id == caller.user_id
    is_receiver = row.destination_user_id == caller.user_id
    if not is_sender and not (is_receiver and row.status == "COMPLETED"):
        return None
    if not is_receiver:
        return replace(row, destination_balance=None, destination_version=None)
    if not is_sender:
        return replace(row, source_balance=None, source_version=None)
    return row
