"""Audit records, decoded and checked against the record before at once: what is exported is what was sealed."""

import hashlib
from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from ops.audit.chain import check_record
from ops.export.errors import BrokenChainError
from ops.export.link import Link
from schemas.audit import sealed_part


class AuditRecord(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Amounts and times stay text until Arrow reads them."""

    amount: str
    completed_at: str
    currency: str
    destination_balance: str | None
    destination_version: int | None
    destination_wallet_id: str
    expires_at: str | UnsetType = UNSET
    hash: str
    kind: str | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    outcome_offset: int
    parent_id: str | UnsetType = UNSET
    prev_hash: str
    reason: str | None
    reference: str | UnsetType = UNSET
    requested_at: str
    sequence: int
    source_balance: str | None
    source_version: int | None
    source_wallet_id: str
    status: str
    transfer_id: str


_DECODER = msgspec.json.Decoder(AuditRecord)


def read_records(
    partition: int, link: Link, offsets: Sequence[int], values: Sequence[bytes | None]
) -> tuple[list[AuditRecord], Link]:
    """The records behind ``link``, and the link behind them.

    Raises BrokenChainError at the first that does not follow from the one before it, or is not what its hash says.
    """
    records: list[AuditRecord] = []
    last_hash = link.last_hash
    while len(records) < len(values):
        last_hash = _read_sealed(records, link.next_sequence, last_hash, values)
        if len(records) < len(values):
            offset, value = offsets[len(records)], values[len(records)]
            record = _read_slowly(partition, offset, value, link.next_sequence + len(records), last_hash)
            last_hash = record.hash
            records.append(record)
    next_offset = offsets[-1] + 1 if offsets else link.next_offset
    return records, Link(link.next_sequence + len(records), last_hash, next_offset)


def _read_sealed(
    records: list[AuditRecord], first_sequence: int, last_hash: str, values: Sequence[bytes | None]
) -> str:
    """Add the records that are as they are due, until one is not, and return the last one's hash.

    Every exported record comes by here: what is looked up is looked up before, and no call is made that need not be.
    """
    decode, digest = _DECODER.decode, hashlib.sha256
    begun = len(records)
    try:
        for sequence, found in enumerate(values[begun:], first_sequence + begun):
            value = found or b""
            record = decode(value)
            if (
                record.prev_hash != last_hash
                or record.sequence != sequence
                or digest(sealed_part(value)).hexdigest() != record.hash
            ):
                break
            last_hash = record.hash
            records.append(record)
    except ValueError:  # msgspec's errors are ValueErrors; whoever looks closer says what it is
        pass
    return last_hash


def _read_slowly(partition: int, offset: int, value: bytes | None, sequence: int, prev_hash: str) -> AuditRecord:
    """One that the quick way does not take: broken, or written otherwise than we do. Raises BrokenChainError."""
    try:
        check_record(value, sequence=sequence, prev_hash=prev_hash)
    except ValueError as error:
        raise BrokenChainError(f"audit partition {partition}, offset {offset}: {error}") from None
    try:
        return _DECODER.decode(value or b"")
    except ValueError as error:
        problem = f"the record is sealed, and not of a form that this version knows: {error}"
        raise BrokenChainError(f"audit partition {partition}, offset {offset}: {problem}") from None
