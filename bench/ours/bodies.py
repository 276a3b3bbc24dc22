"""A workload as bodies of HTTP requests."""

from collections.abc import Iterable
from itertools import islice
from uuid import uuid4

import msgspec
from uuid_utils import uuid7

from bench.ours.requests import AMOUNT
from bench.wallets import CURRENCY, wallet_id
from bench.workloads import Workload

BATCH_LINES = 1_000


def single_bodies(workload: Workload) -> list[bytes]:
    """A body a transfer. The server makes the ids, so that the same body asks for a new transfer each time."""
    return [_body(source, destination) for source, destination, _ in workload.pairs()]


def bodies_with_ids(pairs: Iterable[tuple[int, int, bool]]) -> dict[str, bytes]:
    """A body a pair, by the transfer id in it, in their order: so each can be awaited before it is sent."""
    ids = ((str(uuid7()), source, destination) for source, destination, _ in pairs)
    return {
        transfer_id: _body(source, destination, transfer_id=transfer_id) for transfer_id, source, destination in ids
    }


def batch_bodies(workload: Workload) -> list[bytes]:
    """Bodies of a thousand lines. Every line has a key that no other has."""
    run, pairs = uuid4().hex, enumerate(workload.pairs())
    bodies = []
    while lines := list(islice(pairs, BATCH_LINES)):
        keyed = [_body(*pair, idempotency_key=f"{run}-{number}") for number, (*pair, _) in lines]
        if len(keyed) == BATCH_LINES:
            bodies.append(b"\n".join(keyed) + b"\n")
    return bodies


def _body(source: int, destination: int, **further: str) -> bytes:
    return msgspec.json.encode(
        {
            "source_wallet_id": wallet_id(source),
            "destination_wallet_id": wallet_id(destination),
            "amount": AMOUNT,
            "currency": CURRENCY,
            **further,
        }
    )
