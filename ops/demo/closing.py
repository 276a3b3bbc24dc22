"""The closing table."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from ops.demo.verdict import Figure, Value


def print_closing(console: Console, figures: Sequence[Figure], measured: Sequence[tuple[str, str]]) -> None:
    """Every count as the demo, the ledger and the topics see it; then what was measured."""
    table = Table(title="What was sent, and what became of it")
    table.add_column("", no_wrap=True)
    for side in ("own tally", "ledger", "topics"):
        table.add_column(side, justify="right")
    table.add_column("agree", justify="center")
    for figure in figures:
        table.add_row(
            figure.name,
            _shown(figure.tally),
            _shown(figure.ledger),
            _shown(figure.topics),
            "[green]✓[/]" if figure.agrees else "[bold red]✗[/]",
        )
    console.print()
    console.print(table)
    speeds = Table(title="Measured", show_header=False)
    speeds.add_column()
    speeds.add_column(justify="right")
    for name, value in measured:
        speeds.add_row(name, value)
    console.print(speeds)


def _shown(value: Value | None) -> str:
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    whole, _, fraction = value.partition(".")
    return f"{int(whole):,}" + (f".{fraction}" if fraction.strip("0") else "")
