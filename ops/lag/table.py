"""The lag as a table for a terminal."""

from rich.table import Table

from ops.lag.report import LagReport


def lag_table(report: LagReport) -> Table:
    """Each group's partitions, and its total in a line of its own."""
    table = Table(title="Lag")
    table.add_column("group")
    table.add_column("topic")
    for name in ("partition", "end", "committed", "applied", "lag"):
        table.add_column(name, justify="right")
    for group in report.groups:
        for found in report.of_group(group):
            table.add_row(
                group,
                found.topic,
                str(found.partition),
                f"{found.end:,}",
                "-" if found.committed is None else f"{found.committed:,}",
                "-" if found.applied is None else f"{found.applied:,}",
                f"{found.lag:,}",
            )
        total = report.totals[group]
        colour = "green" if total == 0 else "yellow"
        table.add_row(group, "total", "", "", "", "", f"[{colour}]{total:,}[/]", style="bold", end_section=True)
    return table
