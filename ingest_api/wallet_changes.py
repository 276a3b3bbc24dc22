"""What may become of a wallet's status, and what keeps it from that. Nothing here does it."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.codes import ProblemCode
from sinks.directory.wallets import WalletRow


@dataclass(frozen=True, slots=True)
class Change:
    """A status that a wallet can be given, and those it may have before."""

    status: str
    from_statuses: tuple[str, ...]


FREEZE = Change("frozen", ("active",))
UNFREEZE = Change("active", ("frozen",))
CLOSE = Change("closed", ("active",))
CLOSE_FROZEN = Change("closed", ("active", "frozen"))
"""An admin's way: an owner must not get rid of a freeze."""
REOPEN = Change("active", ("closed",))

_CODES: Mapping[str, ProblemCode] = {"frozen": ProblemCode.WALLET_FROZEN, "closed": ProblemCode.WALLET_CLOSED}


def obstacle(change: Change, wallet: WalletRow) -> ProblemCode | None:
    """Why the change has not been made; None where the wallet is as it would be already."""
    if wallet.status == change.status:
        return None
    if wallet.status in change.from_statuses:
        return ProblemCode.WALLET_NOT_EMPTY  # nothing else keeps a wallet of this status from it
    return _CODES[wallet.status]
