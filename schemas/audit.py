"""The audit chain: one record for each outcome, each holding the hash of the one before it in its partition.

A record is the outcome's JSON object with ``sequence`` (0, 1, 2, … in its partition), ``outcome_offset``,
``prev_hash`` and ``hash``. ``hash`` is SHA-256, in lower-case hexadecimal, over the canonical JSON of the record
without ``hash``: keys in code point order, no blanks, UTF-8. Anyone can check it with Python's own
``json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)``.
"""

import hashlib
from typing import Any

import orjson

GENESIS_HASH = "0" * 64
"""``prev_hash`` of the first record of a partition."""


def canonical_json(value: dict[str, Any]) -> bytes:
    """Keys in code point order, no blanks, UTF-8."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def chain_record(outcome: dict[str, Any], *, outcome_offset: int, sequence: int, prev_hash: str) -> tuple[bytes, str]:
    """The audit record of an outcome as bytes for the topic, and its hash for the next record."""
    record = {**outcome, "outcome_offset": outcome_offset, "sequence": sequence, "prev_hash": prev_hash}
    digest = hashlib.sha256(canonical_json(record)).hexdigest()
    record["hash"] = digest
    return orjson.dumps(record), digest


def record_hash(record: dict[str, Any]) -> str:
    """What ``hash`` must be for this record."""
    unhashed = {name: value for name, value in record.items() if name != "hash"}
    return hashlib.sha256(canonical_json(unhashed)).hexdigest()
