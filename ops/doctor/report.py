"""What all checks come to."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ops.doctor.check import Area
from ops.doctor.facts.facts import Facts
from ops.doctor.finding import Finding, Verdict


@dataclass(frozen=True, slots=True)
class Entry:
    """A finding, the check that found it, and the area that this belongs to."""

    area: str
    check: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Report:
    """Every finding, in the order of the checks."""

    entries: Sequence[Entry]

    @property
    def is_sound(self) -> bool:
        """Whether there is no problem. Warnings are none."""
        return not self.with_verdict(Verdict.PROBLEM)

    def with_verdict(self, verdict: Verdict) -> list[Entry]:
        """Those that came to this."""
        return [entry for entry in self.entries if entry.finding.verdict is verdict]

    def as_json(self) -> dict[str, Any]:
        """How many there are of each verdict, and all findings."""
        return {
            "sound": self.is_sound,
            "counts": {verdict.value.replace(" ", "_"): len(self.with_verdict(verdict)) for verdict in Verdict},
            "findings": [{"area": entry.area, "check": entry.check, **asdict(entry.finding)} for entry in self.entries],
        }


def make_report(areas: Sequence[Area], facts: Facts) -> Report:
    """Run every check on these facts."""
    return Report(
        [
            Entry(area.title, check.name, finding)
            for area in areas
            for check in area.checks
            for finding in check.examine(facts)
        ]
    )
