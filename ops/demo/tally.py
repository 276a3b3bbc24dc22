"""What the demo expects, counted by itself while it sends."""

from collections import Counter
from dataclasses import dataclass, field

COMPLETED = "COMPLETED"


@dataclass(slots=True)
class Tally:
    """Counts of everything sent, by what must become of it."""

    records: int = 0
    """On the request topic."""
    results: Counter[str] = field(default_factory=Counter)
    """Transfers: COMPLETED, or by reason of failure."""
    dead_letters: Counter[str] = field(default_factory=Counter)
    """By cause."""
    duplicates: int = 0
    notifications: Counter[str] = field(default_factory=Counter)
    """By recipient."""
    paid_in_units: Counter[str] = field(default_factory=Counter)
    """By currency."""

    @property
    def transfers(self) -> int:
        """Rows."""
        return self.results.total()

    def deposit(self, units: int, currency: str) -> None:
        """Out of the world wallet, which has no owner to be told."""
        self.records += 1
        self.results[COMPLETED] += 1
        self.notifications["receiver"] += 1
        self.paid_in_units[currency] += units

    def transfer(self, result: str = COMPLETED) -> None:
        """Out of a user's wallet; COMPLETED, or failed for a reason."""
        self.records += 1
        self.results[result] += 1
        self.notifications["sender"] += 1
        if result == COMPLETED:
            self.notifications["receiver"] += 1

    def dead_letter(self, cause: str) -> None:
        """A record that cannot become a transfer."""
        self.records += 1
        self.dead_letters[cause] += 1

    def duplicate(self) -> None:
        """A transfer sent once more, which must change nothing."""
        self.records += 1
        self.duplicates += 1

    def add(self, other: "Tally") -> None:
        """Take over another tally's counts."""
        self.records += other.records
        self.duplicates += other.duplicates
        self.results.update(other.results)
        self.dead_letters.update(other.dead_letters)
        self.notifications.update(other.notifications)
        self.paid_in_units.update(other.paid_in_units)
