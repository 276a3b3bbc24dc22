"""The two entries that a completed outcome is: one of each wallet. Pure."""

from typing import Annotated, NamedTuple

import msgspec

_Version = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class Leg(NamedTuple):
    """A wallet's entry, and what an outcome says of it: equal contents are the same entry told again."""

    wallet_id: str
    version: int
    contents: tuple[str | None, ...]


class _Told(msgspec.Struct, gc=False):
    """The members of an outcome, or of an audit record, that name its entries."""

    transfer_id: str
    source_wallet_id: str
    destination_wallet_id: str
    amount: str
    currency: str
    status: str
    source_balance: str | None
    source_version: _Version | None
    destination_balance: str | None
    destination_version: _Version | None


_DECODER = msgspec.json.Decoder(_Told)


def legs_of(value: bytes | None) -> tuple[Leg, ...]:
    """None of a failed transfer, else the source's and the destination's. Raises ValueError for what is no outcome."""
    told = _DECODER.decode(value or b"")
    if told.source_version is None or told.destination_version is None:
        if told.status == "COMPLETED":
            raise ValueError("completed, and names no versions")
        return ()
    payer, payee = told.source_wallet_id, told.destination_wallet_id
    of_both = (told.transfer_id, payer, payee, told.amount, told.currency, told.status)
    return (
        Leg(payer, told.source_version, (*of_both, told.source_balance)),
        Leg(payee, told.destination_version, (*of_both, told.destination_balance)),
    )
