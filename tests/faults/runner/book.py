"""What was asked for and what was acknowledged: the runner's own memory, which the pipeline cannot touch."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from schemas.transfers import Kind


class Payment(NamedTuple):
    """Who was to pay whom, and how many units of 0.0001: None for all that is left of what it draws on, its parent."""

    source: str
    destination: str
    units: int | None
    kind: Kind | None = None
    parent: str | None = None
    expires_at: datetime | None = None

    def is_met_by(self, found: "Payment") -> bool:
        """Whether a row is what was asked for."""
        return found == (self._replace(units=found.units) if self.units is None else self)


@dataclass(slots=True)
class Book:
    """Every transfer by its id. Times are of ``time.monotonic``."""

    asked: dict[str, Payment] = field(default_factory=dict)
    asked_s: dict[str, float] = field(default_factory=dict)
    acknowledged_s: dict[str, float] = field(default_factory=dict)
    via: dict[str, str] = field(default_factory=dict)
    """``http`` or ``kafka``."""
    refused: set[str] = field(default_factory=set)
    """Those that were told that their key had been used for something else."""

    def ask(self, transfer_id: str, payment: Payment, via: str, now_s: float) -> None:
        """It is about to be sent for the first time."""
        self.asked[transfer_id] = payment
        self.asked_s[transfer_id] = now_s
        self.via[transfer_id] = via

    def acknowledge(self, transfer_id: str, now_s: float) -> None:
        """It was accepted: from now on it must not be lost."""
        self.acknowledged_s.setdefault(transfer_id, now_s)

    @property
    def unsure(self) -> int:
        """How many were asked for and never acknowledged: each may be in or not, but not twice."""
        return len(self.asked) - len(self.acknowledged_s)
