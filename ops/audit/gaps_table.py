"""What `hfts audit gaps` found, for a terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ops.audit.gaps import NAMED_MAX, GapReport

SHOWN_MAX = 20


def print_gaps(console: Console, report: GapReport) -> None:
    """The first findings of each kind, then the verdict."""
    if report.holes or report.again:
        console.print(_findings(report))
    for found in report.unreadable_named[:SHOWN_MAX]:
        console.print(
            f"[bold red]partition {found.partition}, offset {found.offset}:[/] {escape(found.problem)}", soft_wrap=True
        )
    read = f"{report.records:,} records of {report.wallets:,} wallets on {report.topic}"
    if report.complete:
        console.print(f"[green]{read}: every version is there, once.[/]", soft_wrap=True)
        return
    console.print(
        f"[bold red]{read}: {report.missing:,} versions are missing, {report.repeated:,} stand there again, "
        f"{report.unreadable:,} records are no outcomes.[/] {_rest(report)}",
        soft_wrap=True,
    )


def _findings(report: GapReport) -> Table:
    table = Table(title=f"Versions of wallets on {report.topic}")
    table.add_column("wallet")
    table.add_column("versions", justify="right")
    table.add_column("what")
    for hole in report.holes[:SHOWN_MAX]:
        versions = str(hole.first) if hole.first == hole.last else f"{hole.first} to {hole.last}"
        table.add_row(hole.wallet_id, versions, "[bold red]missing[/]")
    for found in report.again[:SHOWN_MAX]:
        what = "more than once" if found.same else "[bold red]more than once, with different contents[/]"
        table.add_row(found.wallet_id, str(found.version), what)
    return table


def _rest(report: GapReport) -> str:
    return f"Shown are the first {SHOWN_MAX} of each kind; --json names {NAMED_MAX:,}." if _is_cut(report) else ""


def _is_cut(report: GapReport) -> bool:
    return max(len(report.holes), len(report.again), len(report.unreadable_named)) > SHOWN_MAX
