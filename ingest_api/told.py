"""An outcome as it was told, in the form in which the API shows transfers."""

import msgspec

from ingest_api.owners import WalletOwners
from schemas.transfers import Outcome
from sinks.directory.transfers import TransferRow
from sinks.errors import DatabaseAwayError


def row_of(outcome: Outcome, source_user_id: str | None, destination_user_id: str | None) -> TransferRow:
    """The row that the outcome was made of, with the owners of its wallets."""
    return TransferRow(
        transfer_id=outcome.transfer_id,
        source_wallet_id=outcome.source_wallet_id,
        destination_wallet_id=outcome.destination_wallet_id,
        amount=outcome.amount,
        currency=outcome.currency,
        status=outcome.status,
        reason=outcome.reason,
        source_balance=outcome.source_balance,
        source_version=outcome.source_version,
        destination_balance=outcome.destination_balance,
        destination_version=outcome.destination_version,
        requested_at=outcome.requested_at,
        completed_at=outcome.completed_at,
        reference=None if outcome.reference is msgspec.UNSET else outcome.reference,
        metadata=None if outcome.metadata is msgspec.UNSET else outcome.metadata,
        kind=None if outcome.kind is msgspec.UNSET else outcome.kind,
        parent_id=None if outcome.parent_id is msgspec.UNSET else outcome.parent_id,
        expires_at=None if outcome.expires_at is msgspec.UNSET else outcome.expires_at,
        source_user_id=source_user_id,
        destination_user_id=destination_user_id,
    )


async def owned_row(owners: WalletOwners, outcome: Outcome) -> TransferRow:
    """The same, its owners remembered or asked for; without a database, those that nobody remembers stay unknown."""
    wallets = (outcome.source_wallet_id, outcome.destination_wallet_id)
    try:
        found = await owners.known(wallets)
    except DatabaseAwayError:
        found = owners.remembered(wallets)
    source, destination = (owner.user_id if (owner := found.get(each)) else None for each in wallets)
    return row_of(outcome, source, destination)
