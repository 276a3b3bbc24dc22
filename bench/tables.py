"""The figures as rows of text, for the terminal and for the document."""

from collections.abc import Sequence

from rich.table import Table

from bench.goals import GOALS, Goal, best_of_ours
from bench.results import BenchRun, Result, ratio

Row = tuple[str, ...]

COLUMNS = ("contender", "workload", "transfers", "transfers/s", "÷ TPC-B", "÷ classical", "÷ COPY", "further")
GOAL_COLUMNS = ("figure", "measured", "goal", "met")

_BASES = ("pgbench-tpc-b", "classical", "copy-uniform-10k")
_LATENCY = "latency-"


def rows_of(run: BenchRun) -> list[Row]:
    """A row a part, under ``COLUMNS``. What could not be run says so."""
    return [_row(run, result) for result in run.results.values()]


def goal_rows(run: BenchRun) -> list[Row]:
    """A row a goal, under ``GOAL_COLUMNS``."""
    return [_goal_row(run, goal) for goal in GOALS]


def terminal_tables(run: BenchRun) -> Sequence[Table]:
    """Both, in colour: the goals only once there is one that was measured."""
    figures, goals = _table("Figures", COLUMNS), _table("Goals", GOAL_COLUMNS)
    for row, result in zip(rows_of(run), run.results.values(), strict=True):
        figures.add_row(*row, style="red" if result.problem else None)
    measured = [row for row in goal_rows(run) if row[-1]]
    for row in measured:
        goals.add_row(*row, style="green" if row[-1] == "yes" else "yellow")
    return [figures, goals] if measured else [figures]


def markdown(columns: Sequence[str], rows: Sequence[Row]) -> str:
    """A table in Markdown; columns of figures to the right."""
    figures = {"transfers", "transfers/s", "÷ TPC-B", "÷ classical", "÷ COPY", "measured", "goal"}
    lines = [columns, ["---:" if column in figures else "---" for column in columns], *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def number(value: float) -> str:
    """Three digits or more, and whole ones plain: 0.0123, 1.23, 12.3, 123, 1,234."""
    if value == int(value):
        return f"{value:,.0f}"
    for bound, form in ((0.1, ".3g"), (10, ".2f"), (100, ".1f")):
        if abs(value) < bound:
            return format(value, form)
    return f"{value:,.0f}"


def _row(run: BenchRun, result: Result) -> Row:
    further = [f"{_words(name)} {number(value)}" for name, value in result.further.items()]
    if result.problem:
        further.insert(0, f"not {'all ' if result.rates else ''}run: {result.problem}")
    if len(result.rates) > 1:
        further.insert(0, f"{len(result.rates)} runs: {number(min(result.rates))} to {number(max(result.rates))}")
    is_rate = result.rate is not None and not result.key.startswith(_LATENCY)  # that one is asked for, not reached
    ratios = [ratio(result.rate, run.rate(base)) if is_rate else None for base in _BASES]
    rate = "" if result.rate is None else number(result.rate)
    transfers = f"{result.transfers:,}" if result.transfers else ""
    return (result.contender, result.workload, transfers, rate, *map(_or_blank, ratios), ", ".join(further))


def _goal_row(run: BenchRun, goal: Goal) -> Row:
    figure = goal.of(run)
    if figure is None:
        return goal.title, "not measured", goal.bound_text, ""
    shown = f"{number(figure)}{goal.unit and ' ' + goal.unit}"
    return goal.title, shown, goal.bound_text, "yes" if goal.is_met(figure) else "no"


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title)
    for column in columns:
        table.add_column(
            column, justify="left" if column in {"contender", "workload", "further", "figure"} else "right"
        )
    return table


def _or_blank(value: float | None) -> str:
    return "" if value is None else number(value)


def _words(name: str) -> str:
    """``worker_cpu_us`` → ``worker cpu µs``."""
    return name.replace("_us", "_µs").replace("p999_", "p99.9_").replace("_", " ")


def headline(run: BenchRun) -> str:
    """The one figure that counts most, in a sentence; empty when it was not measured."""
    best, times = best_of_ours(run), GOALS[0].of(run)
    if best is None:
        return ""
    compared = f", {number(times)} times the best of pgbench's TPC-B-like transaction beside it" if times else ""
    return f"{number(best)} transfers/s from Kafka to the ledger and on to their outcomes{compared}."
