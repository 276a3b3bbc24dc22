"""How much money waits: the amounts of requests that are on the topic and not yet in the ledger. Pure."""

from array import array
from collections import Counter
from collections.abc import Iterable

import msgspec

from schemas.money import parse_amount
from schemas.transfers import CURRENCIES
from sinks.kafka.records import Consumed

_COMPACT_RECORDS = 10_000


class _Amount(msgspec.Struct):
    amount: str
    currency: str


_DECODER = msgspec.json.Decoder(_Amount)

_UNREADABLE = ""
"""In place of a currency: a request that says no amount will move none, but go to the dead letters."""


class Unapplied:
    """The requests of one partition between what is applied and what has been read here; 17 bytes for each.

    ``begin`` is the offset below which everything is applied, ``next_offset`` the one to read on from.
    """

    def __init__(self, begin: int) -> None:
        self.begin = begin
        self.next_offset = begin
        self._offsets = array("q")
        self._units = array("q")
        self._currencies = array("B")
        self._names: list[str] = []
        self._applied = 0  # so many at the front are no longer counted
        self._sums: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._offsets) - self._applied

    @property
    def unreadable(self) -> int:
        """How many say no amount."""
        return self._counts[_UNREADABLE]

    def amounts(self) -> dict[str, int]:
        """Units by currency."""
        return {name: self._sums[name] for name, count in self._counts.items() if count and name != _UNREADABLE}

    def add(self, records: Iterable[Consumed]) -> None:
        """Count records that follow on those before."""
        for record in records:
            units, currency = _amount_of(record.value)
            self._offsets.append(record.offset)
            self._units.append(units)
            self._currencies.append(self._number_of(currency))
            self._sums[currency] += units
            self._counts[currency] += 1
            self.next_offset = record.offset + 1

    def drop_below(self, offset: int) -> None:
        """No longer count what is applied."""
        while self._applied < len(self._offsets) and self._offsets[self._applied] < offset:
            currency = self._names[self._currencies[self._applied]]
            self._sums[currency] -= self._units[self._applied]
            self._counts[currency] -= 1
            self._applied += 1
        if self._applied >= _COMPACT_RECORDS and self._applied * 2 > len(self._offsets):
            for kept in (self._offsets, self._units, self._currencies):
                del kept[: self._applied]
            self._applied = 0
        self.begin = offset
        self.next_offset = max(self.next_offset, offset)

    def _number_of(self, currency: str) -> int:
        if currency not in self._names:
            self._names.append(currency)
        return self._names.index(currency)


def _amount_of(value: bytes | None) -> tuple[int, str]:
    try:
        read = _DECODER.decode(value or b"")
        units = parse_amount(read.amount)
    except (msgspec.MsgspecError, ValueError):
        return 0, _UNREADABLE
    return (units, read.currency) if read.currency in CURRENCIES else (0, _UNREADABLE)
