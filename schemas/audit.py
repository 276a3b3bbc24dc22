"""The audit chain: one record for each outcome, each holding the hash of the one before it in its partition.

A record is the outcome's JSON object with ``sequence`` (0, 1, 2, … in its partition), ``outcome_offset``,
``prev_hash`` and ``hash``. ``hash`` is SHA-256, in lower-case hexadecimal, over the canonical JSON of the record
without ``hash``: keys in code point order, no blanks, UTF-8. Anyone can check it with Python's own
``json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)``. On the topic,
``hash`` comes last behind the canonical JSON: what stands before it is what was hashed, but for the closing brace.
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
    sealed = canonical_json({**outcome, "outcome_offset": outcome_offset, "sequence": sequence, "prev_hash": prev_hash})
    digest = hashlib.sha256(sealed).hexdigest()
    return sealed[:-1] + _HASH_NAME + digest.encode() + _END, digest


def record_hash(record: dict[str, Any]) -> str:
    """What ``hash`` must be for this record."""
    unhashed = record.copy()
    unhashed.pop("hash", None)
    return hashlib.sha256(canonical_json(unhashed)).hexdigest()


def seal_of(value: bytes) -> tuple[bytes, bytes]:
    """``prev_hash`` and ``hash`` of a record's bytes as ``chain_record`` writes them, in hexadecimal.

    A tenth of the work of decoding it. Raises ValueError for a record that was not written so.
    """
    begin = value.rfind(_PREV_NAME) + len(_PREV_NAME)  # members of metadata stand before it, and no others behind
    previous = value[begin : begin + len(GENESIS_HASH)]
    if value[_HASH_NAME_AT:_HASH_AT] != _HASH_NAME or value[_END_AT:] != _END or len(previous) != len(GENESIS_HASH):
        raise ValueError("the record does not end with its hash")
    return previous, value[_HASH_AT:_END_AT]


def sealed_part(value: bytes) -> bytes:
    """What ``hash`` is made of, in a record's bytes as ``chain_record`` writes them: all but ``hash`` itself."""
    return value[:_HASH_NAME_AT] + b"}"


_PREV_NAME, _HASH_NAME, _END = b'"prev_hash":"', b',"hash":"', b'"}'
_END_AT = -len(_END)
_HASH_AT = _END_AT - len(GENESIS_HASH)
_HASH_NAME_AT = _HASH_AT - len(_HASH_NAME)
