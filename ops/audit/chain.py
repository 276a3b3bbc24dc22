"""Whether the audit records of one partition form an unbroken chain. Pure: bytes in, verdict out."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ops.audit.marks import Mark
from ops.own_json import loads_own
from schemas.audit import GENESIS_HASH, record_hash
from schemas.merkle import Frontier, leaf_hashes

LEAVES_PENDING_MAX = 4_096


@dataclass(frozen=True, slots=True)
class ChainFault:
    """The first record of a partition that breaks the chain, and in what way."""

    partition: int
    offset: int
    problem: str


class ChainVerifier:
    """Checks a partition's records one after another, holding only the last hash, and a few thousand at most.

    After its first fault it takes no more: what follows a break proves nothing.
    """

    def __init__(self, partition: int, *, begin: int = 0, marks: Iterable[Mark] = ()) -> None:
        """``begin`` is the partition's first offset that still exists; a chain is whole only from 0. ``marks`` are what
        checkpoints say of the partition, from the smallest to the largest."""
        self.partition = partition
        self.checked = 0
        self.fault: ChainFault | None = None
        self._prev_hash = GENESIS_HASH
        self._marks = deque(marks)
        self._signed = self._marks[-1].size if self._marks else 0
        self._tree = Frontier()
        self._pending: list[bytes] = []
        self._stretch: tuple[int, int] | None = None
        if begin > 0:
            self.fault = ChainFault(partition, begin, f"the records before offset {begin} are gone")

    def check(self, offset: int, value: bytes | None) -> dict[str, Any] | None:
        """The record, or None where it breaks the chain or comes after a break."""
        if self.fault is not None:
            return None
        try:
            record = check_record(value, sequence=self.checked, prev_hash=self._prev_hash)
        except ValueError as error:
            self.fault = ChainFault(self.partition, offset, str(error))
            return None
        self._prev_hash = record["hash"]
        self.checked += 1
        if self._marks:
            self._compare(offset)
        return record

    def finish(self, end: int) -> None:
        """All records have been taken: ``end`` is the offset behind them. A fault if checkpoints speak of more."""
        if self._marks and self.fault is None:
            mark = self._marks[-1]
            problem = f"{mark.checkpoint} has signed {mark.size:,} records, and {self.checked:,} are left"
            self.fault = ChainFault(self.partition, end, f"{problem}: the tail was cut off")

    @property
    def unsigned(self) -> int:
        """Records after the last checkpoint: nothing but the chain speaks for them yet."""
        return max(self.checked - self._signed, 0)

    def _compare(self, offset: int) -> None:
        """Compare the record at ``offset``, the last one checked, with the checkpoint that ends there, if one does."""
        if self._stretch is None:
            self._stretch = (self.checked - 1, offset)
        self._pending.append(bytes.fromhex(self._prev_hash))
        mark = self._marks[0]
        if self.checked < mark.size:
            if len(self._pending) >= LEAVES_PENDING_MAX:
                self._grow()
            return
        self._grow()
        if (self._prev_hash, self._tree.root.hex()) != (mark.head, mark.root):
            first, first_offset = self._stretch
            problem = (
                f"records {first:,} to {self.checked - 1:,} of the partition are not those that {mark.checkpoint} has "
                "signed: they were written anew, or some are gone"
            )
            self.fault = ChainFault(self.partition, first_offset, problem)
        self._marks.popleft()
        self._stretch = None

    def _grow(self) -> None:
        self._tree.extend(leaf_hashes(self._pending))
        self._pending = []

    @property
    def head(self) -> str:
        """The hash of the last sound record: noted elsewhere, it proves later that nothing was cut off."""
        return self._prev_hash


def check_record(value: bytes | None, *, sequence: int, prev_hash: str) -> dict[str, Any]:
    """The record, which must be number ``sequence`` and follow ``prev_hash``. Raises ValueError."""
    record = _read_record(value)
    _check_link(record, sequence=sequence, prev_hash=prev_hash)
    return record


def _read_record(value: bytes | None) -> dict[str, Any]:
    """The record's JSON object. Raises ValueError for anything else."""
    if value is None:
        raise ValueError("the record has no value")
    try:
        record = loads_own(value)
    except ValueError as error:
        raise ValueError(f"the value is not one JSON document: {error}") from None
    if not isinstance(record, dict):
        raise ValueError("the value is not a JSON object")  # noqa: TRY004 (one error for all unsound records)
    return record


def _check_link(record: dict[str, Any], *, sequence: int, prev_hash: str) -> None:
    """Raise ValueError unless the record is number ``sequence``, follows ``prev_hash`` and hashes to its own."""
    if record.get("sequence") != sequence or isinstance(record["sequence"], bool):
        raise ValueError(f"sequence is {record.get('sequence')!r}, {sequence} is due")
    if record.get("prev_hash") != prev_hash:
        raise ValueError("prev_hash is not the hash of the record before")
    try:
        expected = record_hash(record)
    except TypeError as error:  # a number that orjson refuses, such as one of more than 64 bits
        raise ValueError(f"the record has no canonical form: {error}") from None
    if record.get("hash") != expected:
        raise ValueError("hash does not fit the record's content")
