"""The lag as tables for a terminal."""

from rich.console import Group
from rich.table import Table

from ops.lag.report import LagReport
from ops.lag.waiting import Money, Waiting
from schemas.money import format_units


def lag_tables(report: LagReport, waiting: Waiting) -> Group:
    """Each group's partitions with its total in a line of its own, and the money that has not moved yet."""
    return Group(_offsets(report, waiting), _money(waiting.money))


def _offsets(report: LagReport, waiting: Waiting) -> Table:
    table = Table(title="Lag")
    table.add_column("group")
    table.add_column("topic")
    for name in ("partition", "end", "committed", "applied", "lag", "oldest waits"):
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
                _age(waiting.ages_s.get(found.where)),
            )
        total = report.totals[group]
        colour = "green" if total == 0 else "yellow"
        cells = (f"[{colour}]{total:,}[/]", _age(waiting.age_s(group)))
        table.add_row(group, "total", "", "", "", "", *cells, style="bold", end_section=True)
    return table


def _money(money: Money) -> Table:
    table = Table(title="Accepted and not yet applied", caption=_remark(money), min_width=40)
    table.add_column("currency")
    table.add_column("amount" if money.is_all else "amount, at least", justify="right")
    for currency, units in sorted(money.units.items()):
        table.add_row(currency, _grouped(units))
    if not money.units:
        table.add_row("-", "0")
    return table


def _remark(money: Money) -> str:
    parts = [f"{money.records:,} requests"]
    if money.unreadable:
        parts.append(f"{money.unreadable:,} of them say no amount")
    if not money.is_all:
        parts.append("more than could be read so far")
    return ", ".join(parts)


def _grouped(units: int) -> str:
    """Decimal text with separators of thousands, never rounded."""
    whole, _, decimals = format_units(units).partition(".")
    return f"{int(whole):,}.{decimals}"


def _age(age_s: float | None) -> str:
    return f"{age_s:,.1f} s" if age_s else "-"
