"""Findings of the doctor, and what every one of them must be like."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ops.doctor.checks.areas import AREAS
from ops.doctor.facts.configuration import Configuration, SettingsFile
from ops.doctor.facts.facts import gather_facts
from ops.doctor.finding import Finding, Verdict
from ops.doctor.report import make_report
from schemas.settings import Settings


async def examined(settings: Settings, **wrong: str) -> dict[str, list[Finding]]:
    """What each check finds with these settings, of which some variables are wrong."""
    facts = await gather_facts(Configuration(SettingsFile(Path(".env")), settings, wrong))
    found: dict[str, list[Finding]] = {}
    for entry in make_report(AREAS, facts).entries:
        found.setdefault(entry.check, []).append(checked(entry.finding, entry.finding.verdict))
    return found


def only(findings: Sequence[Finding], verdict: Verdict) -> Finding:
    """The one finding, which came to this verdict."""
    [finding] = findings
    return checked(finding, verdict)


def checked(finding: Finding, verdict: Verdict) -> Finding:
    """The finding, which came to this verdict and says all that belongs to it."""
    assert finding.verdict is verdict, finding
    assert finding.seen
    is_bad = verdict in (Verdict.WARNING, Verdict.PROBLEM)
    assert (bool(finding.why), bool(finding.remedy)) == (is_bad, is_bad), finding
    assert not finding.command or finding.remedy.endswith(":"), "the remedy leads to its command"
    assert finding.command or not finding.remedy.endswith(":"), finding
    return finding


def bad(found: Mapping[str, list[Finding]]) -> dict[str, Finding]:
    """The first warning or problem of each check that has one."""
    return {
        name: finding
        for name, findings in found.items()
        for finding in findings[:1]
        if finding.verdict in (Verdict.WARNING, Verdict.PROBLEM)
    }
