"""A dead letter taken apart: the record it was, and what was noted when it was set aside. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from ops.dlq.address import Address
from schemas.headers import DEAD_LETTER_HEADERS, Headers
from sinks.kafka.records import Consumed

UNREADABLE = "unreadable"
"""Stands in place of a cause where a record on the dead-letter topic is not one of our letters."""

_INTEGER_MAX = 2**31 - 1
_BIGINT_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Note:
    """What the worker noted: where the record stood, and why it was set aside, in a code and in words."""

    topic: str
    partition: int
    offset: int
    cause: str
    detail: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A record on the dead-letter topic. ``headers`` are those it came with; ``note`` is None if it is none of ours."""

    address: Address
    at: datetime
    key: bytes | None
    value: bytes | None
    headers: Headers
    note: Note | None

    @property
    def cause(self) -> str:
        """The code of its cause."""
        return UNREADABLE if self.note is None else self.note.cause

    @property
    def transfer_id(self) -> str | None:
        """The transfer_id in its value, where that much can be read."""
        return readable_transfer_id(self.value)


def read_letter(record: Consumed) -> Letter:
    """Tell the record's own headers from those that were added behind them. The added ones are always the last."""
    note = _read_note(record.headers[-len(DEAD_LETTER_HEADERS) :])
    own = record.headers if note is None else record.headers[: -len(DEAD_LETTER_HEADERS)]
    at = datetime.fromtimestamp(max(record.timestamp, 0) / 1000, UTC)
    return Letter(Address(record.partition, record.offset), at, record.key, record.value, tuple(own), note)


def readable_transfer_id(value: bytes | None) -> str | None:
    """The member transfer_id of a JSON object, if it is a UUID."""
    try:
        document: Any = orjson.loads(value or b"")
        return str(UUID(document["transfer_id"]))
    except (ValueError, TypeError, KeyError, AttributeError):  # anything may stand in a dead letter
        return None


def _read_note(added: Headers) -> Note | None:
    if tuple(name for name, _ in added) != DEAD_LETTER_HEADERS or any(value is None for _, value in added):
        return None
    topic, partition, offset, cause, detail = (bytes(value or b"").decode("utf-8", "replace") for _, value in added)
    if not (_is_number(partition, _INTEGER_MAX) and _is_number(offset, _BIGINT_MAX)):
        return None
    return Note(topic, int(partition), int(offset), cause, detail)


def _is_number(text: str, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(most)) and int(text) <= most
