"""What became of a comparison of balances, for a terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ops.export.balances import BalanceReport
from schemas.transfers import format_time


def print_balances(console: Console, report: BalanceReport) -> None:
    """What was asked for, the sums, and the differences."""
    if report.wallet is not None:
        held = report.wallet
        console.print(f"{held.wallet_id}: {held.balance} {held.currency}, version {held.version}", highlight=False)
    else:
        for currency, total in report.totals.items():
            console.print(f"{total} {currency} in wallets above zero", highlight=False)
    if report.agrees:
        console.print(
            f"[green]The audit and the ledger agree[/] on {report.wallets:,} wallets at {format_time(report.at)}.",
            highlight=False,
        )
        return
    table = Table(title=f"{report.faults:,} of {report.wallets:,} wallets differ at {format_time(report.at)}")
    for name in ("wallet", "difference", "audit", "ledger"):
        table.add_column(name, overflow="fold")
    for found in report.differences:
        audit = _held(found.audit_balance, found.audit_version)
        ledger = _held(found.ledger_balance, found.ledger_version)
        table.add_row(found.wallet_id, escape(found.problem), audit, ledger)
    console.print(table)
    console.print("What the audit lacks may be on its way: look again when `hfts lag` is 0.", highlight=False)


def _held(balance: str | None, version: int | None) -> str:
    return "" if balance is None else f"{balance} (version {version})"
