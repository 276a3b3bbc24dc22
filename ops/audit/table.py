"""The verification as a table for a terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ops.audit.verify import AuditReport


def print_audit(console: Console, report: AuditReport) -> None:
    """One line a partition, then the first bad record of each broken one."""
    faulty = {fault.partition for fault in report.faults}
    table = Table(title=f"Audit chain of {report.topic}")
    table.add_column("partition", justify="right")
    table.add_column("records", justify="right")
    table.add_column("last hash")
    table.add_column("chain")
    for partition, checked in sorted(report.checked.items()):
        verdict = "[bold red]BROKEN[/]" if partition in faulty else "[green]holds[/]"
        table.add_row(str(partition), f"{checked:,}", report.heads[partition][:16] + "…", verdict)
    console.print(table)
    for fault in report.faults:
        console.print(
            f"[bold red]partition {fault.partition}, offset {fault.offset}:[/] {escape(fault.problem)}", soft_wrap=True
        )
    seen = report.checkpoints
    if seen.fault is not None:
        console.print(
            f"[bold red]{escape(seen.topic)}, offset {seen.fault.offset}:[/] {escape(seen.fault.problem)}",
            soft_wrap=True,
        )
    if seen.last is None:
        console.print("No checkpoint has been signed yet.")
    else:
        console.print(
            f"Checkpoints that hold: {seen.checked:,}, the last of {seen.last.statement.time}.", highlight=False
        )
    if report.sound:
        console.print(
            f"[green]All {sum(report.checked.values()):,} records hold,[/] {report.unsigned:,} of them after the last "
            "checkpoint.",
            highlight=False,
        )
