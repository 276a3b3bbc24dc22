"""No figure counts unless the ledger and the topics agree, over everything."""

from ops.reconcile.run import reconcile
from schemas.settings import Settings


async def check_all(settings: Settings, *, transfers: int, settled: bool) -> None:
    """Reconcile the whole place: so many rows, each with its outcome. With ``settled``, audit and notifications too.

    Raises RuntimeError with the first fault.
    """
    report = await reconcile(settings, settled=settled)
    for finding in report.findings:
        if finding.faults:
            example = f", as {finding.examples[0]}" if finding.examples else ""
            raise RuntimeError(f"reconcile: {finding.title}: {finding.faults:,} faults{example}")
    rows, outcomes = sum(report.facts.transfers.values()), report.facts.records["outcomes"]
    if not rows == outcomes == transfers:
        raise RuntimeError(f"{transfers:,} transfers were asked for; there are {rows:,} rows and {outcomes:,} outcomes")
