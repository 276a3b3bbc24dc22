"""Audit records and checkpoints of them, and what somebody without the key may do to the records."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.audit import GENESIS_HASH, chain_record
from schemas.checkpoints import Checkpoint, Position, Tree, sign_checkpoint
from schemas.merkle import Frontier, leaf_hashes

AUDIT_TOPIC = "audit"
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()


def chain(count: int, **outcome: Any) -> list[bytes]:
    """So many records of a partition."""
    values, prev_hash = [], GENESIS_HASH
    for sequence in range(count):
        told = {"transfer_id": f"t{sequence}", "amount": "1.0000", "reference": "für Äpfel", **outcome}
        value, prev_hash = chain_record(told, outcome_offset=sequence * 2, sequence=sequence, prev_hash=prev_hash)
        values.append(value)
    return values


def rehashed(values: Sequence[bytes]) -> list[bytes]:
    """The same contents as one chain that holds: whoever writes to the topic can make it."""
    made, prev_hash = [], GENESIS_HASH
    for sequence, value in enumerate(values):
        record = json.loads(value) | {"sequence": sequence, "prev_hash": prev_hash}
        del record["hash"]
        text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        prev_hash = hashlib.sha256(text.encode()).hexdigest()
        made.append(orjson.dumps({**record, "hash": prev_hash}))
    return made


def tree_of(partition: int, values: Sequence[bytes]) -> tuple[Tree, Position]:
    """What a checkpoint says of a partition that holds these records at offsets from 0 on."""
    hashes = [json.loads(value)["hash"] for value in values]
    frontier = Frontier()
    frontier.extend(leaf_hashes([bytes.fromhex(text) for text in hashes]))
    tree = Tree(
        partition=partition,
        size=len(values),
        root=frontier.root.hex(),
        head=hashes[-1] if hashes else GENESIS_HASH,
    )
    return tree, Position(next_offset=len(values), peaks=[peak.hex() for peak in frontier.peaks])


def checkpoint_of(
    partitions: Sequence[Sequence[bytes]],
    after: Checkpoint | None = None,
    *,
    key: Ed25519PrivateKey = KEY,
    topic: str = AUDIT_TOPIC,
) -> Checkpoint:
    """The next checkpoint, of partitions that hold these records."""
    found = [tree_of(number, values) for number, values in enumerate(partitions)]
    return sign_checkpoint(
        key,
        topic=topic,
        time="2026-01-02T03:04:05.000000Z",
        after=after,
        trees=[tree for tree, _ in found],
        positions=[position for _, position in found],
    )


WHOLE = chain(10)
"""A partition of ten records."""


def checkpoints(*sizes: int, **changes: Any) -> list[Checkpoint]:
    """Checkpoints of that partition when it had so many, each after the one before."""
    made: list[Checkpoint] = []
    for size in sizes:
        made.append(checkpoint_of([WHOLE[:size]], made[-1] if made else None, **changes))
    return made
