"""What a list of transfers is narrowed down to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from schemas.money import UNITS_MAX, UNITS_PER_ONE

AMOUNT_MAX = Decimal(UNITS_MAX) / UNITS_PER_ONE
MOMENT_MIN = datetime(1, 1, 1, tzinfo=UTC)
MOMENT_MAX = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """All of these must hold. Times are from the first to before the second; amounts have no sign, ends included."""

    status: str | None = None
    amount_min: Decimal = Decimal(0)
    amount_max: Decimal = AMOUNT_MAX
    completed_from: datetime = MOMENT_MIN
    completed_before: datetime = MOMENT_MAX
    requested_from: datetime = MOMENT_MIN
    requested_before: datetime = MOMENT_MAX
    reference: str | None = None
    metadata: Mapping[str, str] | None = None

    @property
    def values(self) -> tuple[Any, ...]:
        """The first nine parameters of each statement that lists transfers."""
        return (
            self.status,
            self.amount_min,
            self.amount_max,
            self.completed_from,
            self.completed_before,
            self.requested_from,
            self.requested_before,
            self.reference,
            None if self.metadata is None else msgspec.json.encode(self.metadata).decode(),
        )

    @property
    def is_sieve(self) -> bool:
        """Whether rows are read to be passed over. For the status and the time of completion none are."""
        plain = Filters(status=self.status, completed_from=self.completed_from, completed_before=self.completed_before)
        return self != plain
