"""No figure counts unless the ledger and the topics agree, over everything."""

from ops.reconcile.report import Finding
from ops.reconcile.run import reconcile
from schemas.settings import Settings

_NEED_RECORDS = "rows_have_one_outcome"
"""The one invariant that rows break which were brought in behind the topics' back."""


async def check_all(settings: Settings, *, transfers: int, settled: bool, history: int = 0) -> None:
    """Reconcile the whole place: so many transfers, each with its outcome, and ``history`` more rows without.

    With ``settled``, audit and notifications are complete, too. Raises RuntimeError with the first fault.
    """
    report = await reconcile(settings, settled=settled)
    for finding in report.findings:
        if finding.faults != (history if finding.name == _NEED_RECORDS else 0):
            raise RuntimeError(f"reconcile: {finding.title}: {finding.faults:,} faults{_example(finding)}")
    rows, outcomes = sum(report.facts.transfers.values()), report.facts.records["outcomes"]
    if not rows - history == outcomes == transfers:
        raise RuntimeError(
            f"{transfers:,} transfers were asked for; there are {rows - history:,} rows and {outcomes:,} outcomes"
        )


def _example(finding: Finding) -> str:
    return f", as {finding.examples[0].at}: {finding.examples[0].problem}" if finding.examples else ""
