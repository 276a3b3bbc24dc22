"""What a reconciliation found."""

from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["holds", "pending", "broken"]

EXAMPLES_MAX = 10
"""Faults shown of each invariant."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Where an invariant is broken, and how."""

    at: str
    problem: str


@dataclass(slots=True)
class Finding:
    """One invariant: how much was checked, how many break it, how many are still to come, and the first faults."""

    name: str
    title: str
    checked: int
    faults: int
    pending: int
    examples: list[Fault] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        """Whether it holds, holds but for what is still under way, or is broken."""
        if self.faults:
            return "broken"
        return "pending" if self.pending else "holds"


@dataclass(slots=True)
class Facts:
    """What was counted on the way: records on each topic, by role, and what they and the rows say."""

    records: dict[str, int]
    chain_verified: bool
    transfers: dict[str, int] = field(default_factory=dict)
    """Rows: COMPLETED, or by reason of failure."""
    outcomes: dict[str, int] = field(default_factory=dict)
    """Outcome records likewise."""
    dead_letters: dict[str, int] = field(default_factory=dict)
    """By cause."""
    notifications: dict[str, int] = field(default_factory=dict)
    """By recipient."""
    paid_in: dict[str, str] = field(default_factory=dict)
    """What the world wallet of each currency has given out."""


@dataclass(slots=True)
class Report:
    """All findings."""

    findings: list[Finding]
    facts: Facts

    @property
    def holds(self) -> bool:
        """Whether no invariant is broken."""
        return all(finding.faults == 0 for finding in self.findings)

    @property
    def pending(self) -> int:
        """What is still under way, over all invariants."""
        return sum(finding.pending for finding in self.findings)

    def as_json(self) -> dict[str, object]:
        """The report as a JSON object."""
        return {
            "holds": self.holds,
            "pending": self.pending,
            "records": self.facts.records,
            "transfers": self.facts.transfers,
            "dead_letters": self.facts.dead_letters,
            "notifications": self.facts.notifications,
            "paid_in": self.facts.paid_in,
            "invariants": [
                {
                    "name": finding.name,
                    "title": finding.title,
                    "checked": finding.checked,
                    "verdict": finding.verdict,
                    "faults": finding.faults,
                    "pending": finding.pending,
                    "examples": [{"at": fault.at, "problem": fault.problem} for fault in finding.examples],
                }
                for finding in self.findings
            ],
        }
