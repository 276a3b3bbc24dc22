"""The report as tables for a terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ops.reconcile.report import Finding, Report

_VERDICTS = {"holds": "[green]holds[/]", "pending": "[yellow]holds so far[/]", "broken": "[bold red]BROKEN[/]"}


def findings_table(report: Report) -> Table:
    """One line an invariant."""
    table = Table(title="Invariants")
    table.add_column("invariant")
    table.add_column("checked", justify="right")
    if report.pending:
        table.add_column("pending", justify="right")
    if not report.holds:
        table.add_column("at fault", justify="right", style="red")
    table.add_column("verdict", no_wrap=True)
    for finding in report.findings:
        cells = [finding.title, f"{finding.checked:,}"]
        if report.pending:
            cells.append(f"{finding.pending:,}" if finding.pending else "")
        if not report.holds:
            cells.append(f"{finding.faults:,}" if finding.faults else "")
        table.add_row(*cells, _VERDICTS[finding.verdict])
    return table


def print_report(console: Console, report: Report) -> None:
    """The table, then the first rows at fault of each broken invariant, then one closing line."""
    console.print(findings_table(report))
    for finding in report.findings:
        if finding.faults:
            _print_faults(console, finding)
    if not report.holds:
        console.print("[bold red]The ledger and the topics do not agree.[/]")
    elif report.pending:
        console.print(f"[green]Nothing is wrong.[/] {report.pending:,} things are still under way.")
    else:
        console.print("[green]Everything agrees.[/]")


def _print_faults(console: Console, finding: Finding) -> None:
    shown = len(finding.examples)
    more = f", the first {shown} of {finding.faults:,}" if finding.faults > shown else ""
    console.print(f"\n[bold red]{finding.name}[/]{more}:")
    for fault in finding.examples:
        console.print(f"  {escape(fault.at)}  {escape(fault.problem)}", soft_wrap=True)
