"""The report for a person at a terminal, 80 columns wide or more."""

from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ops.doctor.finding import Verdict
from ops.doctor.report import Entry, Report

_MARKS = {
    Verdict.OK: ("✓", "green"),
    Verdict.WARNING: ("!", "yellow"),
    Verdict.PROBLEM: ("✗", "bold red"),
    Verdict.NOT_CHECKED: ("-", "dim"),
}
_TONES = {Verdict.OK: "dim", Verdict.NOT_CHECKED: "dim"}
_INDENT = 4


def print_report(console: Console, report: Report) -> None:
    """Each check with what was seen; what is not as it should be with why it matters and what to do."""
    name_chars = max(len(entry.check) for entry in report.entries)
    for area, entries in groupby(report.entries, key=lambda entry: entry.area):
        console.print(f"[bold]{escape(area)}[/]")
        for reason, alike in groupby(entries, key=_reason):
            if reason is None:
                for entry in alike:
                    _print_entry(console, entry, name_chars)
            else:
                names = [entry.check for entry in alike]
                console.print(_line(Verdict.NOT_CHECKED, *_skipped(names, reason), name_chars=name_chars))
    console.print()
    console.print(_closing(report))


def _reason(entry: Entry) -> str | None:
    """Why it was not checked, if it was not."""
    return entry.finding.seen if entry.finding.verdict is Verdict.NOT_CHECKED else None


def _skipped(names: list[str], reason: str) -> tuple[str, str]:
    if len(names) == 1:
        return names[0], f"not checked: {reason}"
    return f"{len(names)} checks", f"not checked: {reason} ({', '.join(names)})"


def _print_entry(console: Console, entry: Entry, name_chars: int) -> None:
    finding = entry.finding
    console.print(_line(finding.verdict, entry.check, finding.seen, name_chars=name_chars))
    if finding.remedy:
        console.print(Padding(Text(finding.why), (0, 0, 0, _INDENT)))
        console.print(Padding(_pointed_at(finding.remedy), (0, 0, 0, _INDENT)))
        if finding.command:
            # Not wrapped by us: so it can be copied whole.
            console.print(Text(" " * (_INDENT + 4) + finding.command, "bold"), soft_wrap=True)
        console.print()


def _line(verdict: Verdict, name: str, text: str, *, name_chars: int) -> Table:
    mark, colour = _MARKS[verdict]
    line = Table.grid(padding=(0, 1))
    line.add_column(width=3, justify="right")
    line.add_column(width=name_chars)
    line.add_column()
    line.add_row(Text(mark, colour), Text(name, colour), Text(text, _TONES.get(verdict, "")))
    return line


def _pointed_at(remedy: str) -> Table:
    line = Table.grid(padding=(0, 1))
    line.add_row(Text("→", "cyan"), Text(remedy, "cyan"))
    return line


def _closing(report: Report) -> str:
    problems, warnings = report.with_verdict(Verdict.PROBLEM), report.with_verdict(Verdict.WARNING)
    skipped = report.with_verdict(Verdict.NOT_CHECKED)
    counts = [_counted(len(warnings), "warning")] if warnings else []
    counts += [f"{len(report.with_verdict(Verdict.OK))} fine"]
    counts += [f"{len(skipped)} not checked"] if skipped else []
    verdict = f"[bold red]{_counted(len(problems), 'problem')}[/]" if problems else "[green]No problem[/]"
    again = " Mend what is found, and run it again for the rest." if problems and skipped else ""
    return f"{', '.join((verdict, *counts))}.{again}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
