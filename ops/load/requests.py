"""Makes requests as they stand on the topic."""

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

from uuid_utils import uuid7

from schemas.money import format_units
from schemas.transfers import TransferRequest, encode_request

KeyedRequest = tuple[str, str, bytes]
"""Transfer id, key (the source wallet's id), value."""


def make_request(
    source: str,
    destination: str,
    units: int,
    currency: str,
    *,
    transfer_id: str | None = None,
    reference: str | None = None,
) -> KeyedRequest:
    """One request, under a new id unless one is given."""
    request = TransferRequest(
        transfer_id=transfer_id or str(uuid7()),
        source_wallet_id=source,
        destination_wallet_id=destination,
        amount=format_units(units),
        currency=currency,
        requested_at=datetime.now(UTC),
        reference=reference,
    )
    return request.transfer_id, source, encode_request(request)


def pair_picker(wallets: list[str], random: Random) -> Callable[[], tuple[str, str]]:
    """A function that picks two different wallets, every one equally likely."""
    count = len(wallets)

    def pick() -> tuple[str, str]:
        source = int(random.random() * count)
        destination = (source + 1 + int(random.random() * (count - 1))) % count
        return wallets[source], wallets[destination]

    return pick
