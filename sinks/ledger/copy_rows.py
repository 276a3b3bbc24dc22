"""Rows of ``transfers`` in the binary format of COPY (PostgreSQL manual, "COPY", "Binary Format").

The database takes rows in this form with less work than an INSERT, and they are made here in one pass.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from struct import Struct
from struct import error as StructError  # noqa: N812 (it is a class, whatever its name)

import asyncpg
import orjson

from schemas.money import UNITS_PER_ONE
from sinks.ledger.types import Transfer

COLUMNS = (
    "transfer_id",
    "source_wallet_id",
    "destination_wallet_id",
    "amount",
    "currency",
    "source_balance",
    "source_version",
    "destination_balance",
    "destination_version",
    "requested_at",
    "completed_at",
    "request_partition",
    "request_offset",
    "status",
    "reason",
    "reference",
    "metadata",
    "kind",
    "parent_id",
    "expires_at",
)

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CURRENCY_CHARS = 3
_UUID_BYTES = 16

# A field is its length, -1 for null, and its bytes. This is a row up to where fields begin that have no fixed length:
# the number of its fields, three ids, amount, currency, a balance and a version twice, two times, partition, offset.
_COMPLETED = Struct("!h i16s i16s i16s i18s i3s i18s iq i18s iq iq iq ii iq")
_FAILED = Struct("!h i16s i16s i16s i18s i3s iiii iq iq ii iq")

# numeric: how many digits, the weight of the first, the sign, decimals to show, and here always five digits to the
# base of 10,000, of which the last are the four decimals. PostgreSQL drops zeros in front.
_NUMERIC = Struct("!hhHh5H")
_NUMERIC_BYTES = _NUMERIC.size
_NEGATIVE = 0x4000

_LENGTH = Struct("!i")
_NULL = _LENGTH.pack(-1)
_TIME = Struct("!iq")
_TIME_BYTES = 8


def encode_rows(transfers: Sequence[Transfer]) -> bytearray:
    """What COPY … (COLUMNS) FROM STDIN (FORMAT binary) reads. Raises asyncpg.DataError for what fits no column."""
    try:
        return _encode(transfers)
    except (ValueError, StructError, orjson.JSONEncodeError) as error:
        raise asyncpg.DataError(f"a transfer that PostgreSQL cannot hold: {error}") from error


def _encode(transfers: Sequence[Transfer]) -> bytearray:
    ids = _ids(transfers)
    parts = [_HEADER]
    at = 0
    for t in transfers:
        transfer_id, source, destination = ids[at : at + 16], ids[at + 16 : at + 32], ids[at + 32 : at + 48]
        at += 48
        currency = t.currency.encode()
        if len(currency) != _CURRENCY_CHARS:
            raise ValueError("a currency has three letters")
        requested_at = (t.requested_at - _EPOCH) // _MICROSECOND
        completed_at = (t.completed_at - _EPOCH) // _MICROSECOND
        if t.source_units is not None and t.destination_units is not None:
            parts.append(
                _COMPLETED.pack(
                    len(COLUMNS), 16, transfer_id, 16, source, 16, destination,
                    _NUMERIC_BYTES, _numeric(t.units), 3, currency,
                    _NUMERIC_BYTES, _numeric(t.source_units), 8, t.source_version,
                    _NUMERIC_BYTES, _numeric(t.destination_units), 8, t.destination_version,
                    8, requested_at, 8, completed_at, 4, t.request_partition, 8, t.request_offset,
                )
            )  # fmt: skip
        else:
            parts.append(
                _FAILED.pack(
                    len(COLUMNS), 16, transfer_id, 16, source, 16, destination,
                    _NUMERIC_BYTES, _numeric(t.units), 3, currency, -1, -1, -1, -1,
                    8, requested_at, 8, completed_at, 4, t.request_partition, 8, t.request_offset,
                )
            )  # fmt: skip
        parts.append(_ending(t))
    parts.append(_TRAILER)
    return bytearray().join(parts)


def _ids(transfers: Sequence[Transfer]) -> bytes:
    """All ids as bytes, 48 for each transfer: hexadecimal text is read in one call for all of them."""
    texts = [text for t in transfers for text in (t.transfer_id, t.source_wallet_id, t.destination_wallet_id)]
    found = bytes.fromhex("".join(texts).replace("-", ""))
    if len(found) != _UUID_BYTES * len(texts):
        raise ValueError("a UUID has 32 hexadecimal digits")
    return found


def _numeric(units: int) -> bytes:
    sign = 0
    if units < 0:
        sign, units = _NEGATIVE, -units
    rest, decimals = divmod(units, UNITS_PER_ONE)
    rest, first = divmod(rest, 10_000)
    if not rest:
        return _NUMERIC.pack(5, 3, sign, 4, 0, 0, 0, first, decimals)
    rest, second = divmod(rest, 10_000)
    fourth, third = divmod(rest, 10_000)
    return _NUMERIC.pack(5, 3, sign, 4, fourth, third, second, first, decimals)


def _ending(t: Transfer) -> bytes:
    """status, reason, reference, metadata, kind, parent_id and expires_at."""
    if t.reason is None and t.reference is None and t.metadata is None and t.kind is None:
        return _PLAIN_ENDING
    status = _text("COMPLETED" if t.reason is None else "FAILED")
    metadata = None if t.metadata is None else orjson.dumps(t.metadata)
    jsonb = _NULL if metadata is None else _LENGTH.pack(len(metadata) + 1) + b"\x01" + metadata  # 1 is the format
    kind = _ORDINARY if t.kind is None else _kind(t.kind, t.parent_id, t.expires_at)
    return status + _text(t.reason) + _text(t.reference) + jsonb + kind


def _kind(kind: str, parent_id: str | None, expires_at: datetime | None) -> bytes:
    """kind, parent_id and expires_at."""
    parent = _NULL if parent_id is None else _LENGTH.pack(_UUID_BYTES) + _uuid(parent_id)
    end = _NULL if expires_at is None else _TIME.pack(_TIME_BYTES, (expires_at - _EPOCH) // _MICROSECOND)
    return _text(kind) + parent + end


def _uuid(text: str) -> bytes:
    found = bytes.fromhex(text.replace("-", ""))
    if len(found) != _UUID_BYTES:
        raise ValueError("a UUID has 32 hexadecimal digits")
    return found


def _text(value: str | None) -> bytes:
    if value is None:
        return _NULL
    encoded = value.encode()
    return _LENGTH.pack(len(encoded)) + encoded


_ORDINARY = _NULL * 3
_PLAIN_ENDING = _text("COMPLETED") + _NULL * 3 + _ORDINARY
