"""Telling requests that somebody known has signed from all others."""

from collections.abc import Iterable, Mapping, Sequence

from schemas.settings import Settings
from schemas.signatures import RequestVerifier, SignatureError
from schemas.topics import TRANSFERS_REQUESTED
from sinks.kafka.records import Consumed
from sinks.ledger.types import Order, Transfer
from streams.requests import DeadLetter

Forged = Mapping[tuple[int, int], DeadLetter]
"""The letters of requests whose signature does not hold, by partition and offset."""


def request_verifier(settings: Settings) -> RequestVerifier | None:
    """A verifier where requests must be signed."""
    if not settings.require_signed_requests:
        return None
    return RequestVerifier(settings.request_verify_keys or "", settings.topic_name(TRANSFERS_REQUESTED))


def forged_requests(
    verifier: RequestVerifier, orders: Iterable[Order], batches: Mapping[int, Sequence[Consumed]]
) -> Forged:
    """Those of the orders that nobody known has signed. Takes some 0.2 ms for each."""
    records = {(partition, record.offset): record for partition, those in batches.items() for record in those}
    forged = {}
    for order in orders:
        place = order.partition, order.offset
        record = records[place]
        try:
            verifier.check(record.headers, record.value or b"")
        except SignatureError as error:
            forged[place] = DeadLetter(record, error.cause, str(error))
    return forged


def without(forged: Forged, orders: Sequence[Order]) -> Sequence[Order]:
    """The orders that may be applied."""
    if not forged:
        return orders
    return [order for order in orders if (order.partition, order.offset) not in forged]


def letters_of(forged: Forged, replayed: Iterable[Transfer]) -> list[DeadLetter]:
    """The letters to write. A request that was applied before is none of them, whatever keys are known today: its
    signature was good when it was applied."""
    if not forged:
        return []
    own = {(transfer.request_partition, transfer.request_offset) for transfer in replayed}
    return [letter for place, letter in forged.items() if place not in own]
