"""Strict readings of single values from records that we should have written ourselves. All raise ValueError."""

import hashlib
import re
from datetime import datetime
from typing import Any

import orjson

from ops.own_json import loads_own
from schemas.headers import SOURCE_OFFSET
from sinks.kafka.records import Consumed

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{6})?Z")
BIGINT_MAX = 2**63 - 1


def document_of(value: bytes | None) -> dict[str, Any]:
    """The JSON object of a record's value, free of what PostgreSQL's text cannot hold."""
    if value is None:
        raise ValueError("the record has no value")
    if b"\\u0000" in value:
        raise ValueError("holds U+0000, which we never write")
    document = loads_own(value)
    if not isinstance(document, dict):
        raise ValueError("is not a JSON object")  # noqa: TRY004 (one error for all unreadable records)
    return document


def digest_of(document: dict[str, Any]) -> bytes:
    """16 bytes that stand for the document's content, whatever the order of its keys."""
    try:
        canonical = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise ValueError(f"has no canonical form: {error}") from None
    return hashlib.blake2b(canonical, digest_size=16).digest()


def bytes_digest(key: bytes | None, value: bytes | None) -> bytes:
    """16 bytes that stand for a record's key and value, with none told apart from empty."""
    lengths = f"{-1 if key is None else len(key)},{-1 if value is None else len(value)};".encode()
    return hashlib.blake2b(lengths + (key or b"") + (value or b""), digest_size=16).digest()


def key_text(key: bytes | None) -> str | None:
    """The key as text that PostgreSQL can hold."""
    return None if key is None else key.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")


def source_offset_of(record: Consumed) -> int:
    """The source-offset header, which must stand exactly once."""
    if [name for name, _ in record.headers].count(SOURCE_OFFSET) != 1:
        raise ValueError(f"header {SOURCE_OFFSET} must stand exactly once")
    return bigint(last_header(record, SOURCE_OFFSET))


def last_header(record: Consumed, name: str) -> str:
    """A header's text. The last one counts: a dead letter keeps its request's headers and adds its own after them."""
    found = [value for header, value in record.headers if header == name]
    if not found or found[-1] is None:
        raise ValueError(f"header {name} is missing")
    return bytes(found[-1]).decode("ascii")


def bigint(value: str | int) -> int:
    """A whole number that a bigint column holds, not below zero."""
    number = int(value)
    if not 0 <= number <= BIGINT_MAX:
        raise ValueError(f"{number} is out of range")
    return number


def uuid_text(text: str) -> str:
    """A UUID as we write it: hyphenated, lower case."""
    if _UUID.fullmatch(text) is None:
        raise ValueError(f"{text[:50]!r} is not a lower-case UUID")
    return text


def moment_of(text: str) -> datetime:
    """A time as we write it: UTC, with six digits of a second or, where they are zero, none."""
    if _TIME.fullmatch(text) is None:
        raise ValueError(f"{text[:50]!r} is not a time in UTC with six digits of a second or none")
    return datetime.fromisoformat(text)
