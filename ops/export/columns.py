"""Audit records as columns: the one place that says which column has which type."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import UNSET
from msgspec.structs import astuple

from ops.export.errors import BrokenChainError
from ops.export.records import AuditRecord

_TEXT = pa.string()
_COUNT = pa.int64()
_MONEY = pa.decimal128(18, 4)
"""As numeric(18,4) in the ledger: 99,999,999,999,999.9999 at most, to the last digit."""

_MOMENT = pa.timestamp("us", tz="UTC")

SCHEMA = pa.schema(
    [
        pa.field("transfer_id", _TEXT, nullable=False),
        pa.field("source_wallet_id", _TEXT, nullable=False),
        pa.field("destination_wallet_id", _TEXT, nullable=False),
        pa.field("amount", _MONEY, nullable=False),
        pa.field("currency", _TEXT, nullable=False),
        pa.field("status", _TEXT, nullable=False),
        pa.field("reason", _TEXT),
        pa.field("source_balance", _MONEY),
        pa.field("source_version", _COUNT),
        pa.field("destination_balance", _MONEY),
        pa.field("destination_version", _COUNT),
        pa.field("requested_at", _MOMENT, nullable=False),
        pa.field("completed_at", _MOMENT, nullable=False),
        pa.field("reference", _TEXT),
        pa.field("metadata", pa.map_(_TEXT, _TEXT)),
        pa.field("kind", _TEXT),
        pa.field("parent_id", _TEXT),
        pa.field("expires_at", _MOMENT),
        pa.field("partition", pa.int32(), nullable=False),
        pa.field("audit_offset", _COUNT, nullable=False),
        pa.field("outcome_offset", _COUNT, nullable=False),
        pa.field("sequence", _COUNT, nullable=False),
        pa.field("prev_hash", _TEXT, nullable=False),
        pa.field("hash", _TEXT, nullable=False),
    ]
)

REPEATING = [
    *("source_wallet_id", "destination_wallet_id", "amount", "currency", "status", "reason"),
    *("completed_at", "kind", "partition"),
]
"""The columns in which values come again, so that Parquet writes them once. In the others, looking for that doubles the
time and saves nothing."""

_ABSENT = frozenset({"reference", "metadata", "kind", "parent_id", "expires_at"})
"""Members that a record need not have."""


def columns_of(partition: int, offsets: Sequence[int], records: Sequence[AuditRecord]) -> Any:
    """The records of a partition, which stand at these offsets, as an Arrow record batch.

    Raises BrokenChainError where a text is no amount with four digits behind the point, or no time: what was sealed so
    was never an outcome.
    """
    values = dict(zip(AuditRecord.__struct_fields__, zip(*map(astuple, records), strict=True), strict=True))
    arrays = []
    for field in SCHEMA:
        if field.name == "partition":
            arrays.append(pa.repeat(pa.scalar(partition, field.type), len(records)))
        elif field.name == "audit_offset":
            arrays.append(pa.array(offsets, field.type))
        else:
            try:
                arrays.append(_column(field, values[field.name]))
            except (pa.ArrowInvalid, OverflowError) as error:
                told = f"records {records[0].sequence} to {records[-1].sequence}"
                raise BrokenChainError(f"audit partition {partition}, {told}: {field.name}: {error}") from error
    return pa.record_batch(arrays, schema=SCHEMA)


def days_of(table: Any) -> list[tuple[str, int, int]]:
    """The days on which the rows were completed, in UTC: each with its first row and the one behind its last.

    A day that is left and comes again has several such stretches.
    """
    days = pc.run_end_encode(pc.cast(table.column("completed_at"), pa.date32()).combine_chunks())
    ends = days.run_ends.to_pylist()
    return [
        (day.isoformat(), begin, end)
        for day, begin, end in zip(days.values.to_pylist(), [0, *ends[:-1]], ends, strict=True)
    ]


def _column(field: Any, values: Sequence[Any]) -> Any:
    if field.name in _ABSENT:
        if values.count(UNSET) == len(values):
            return pa.nulls(len(values), field.type)
        values = [None if value is UNSET else value for value in values]
    if field.name == "metadata":
        return pa.array([None if value is None else list(value.items()) for value in values], field.type)
    if field.type in (_MONEY, _MOMENT):
        return pa.array(values, _TEXT).cast(field.type)
    return pa.array(values, field.type)
