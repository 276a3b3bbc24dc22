"""What a bench run says while it runs."""

from rich.console import Console

from bench.contest import Measured
from bench.parts import Part
from bench.tables import number


class Progress:
    """A line when a run begins, and one for what it came to."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def begins(self, part: Part, done: int, total: int) -> None:
        """Which, and how many are done."""
        self._console.print(f"[dim]{done + 1}/{total}[/] {part.key}: {part.workload.name} …", highlight=False)

    def ended(self, part: Part, measured: Measured, took_s: float) -> None:
        """The rate, and how long all of it took."""
        rate = f"[bold]{number(measured.rate)}/s[/]"
        what = f"{measured.transfers:,} in {measured.seconds:.1f} s; {took_s:.0f} s in all"
        self._console.print(f"    {part.key}: {rate} ({what})", highlight=False)

    def failed(self, part: Part, problem: str) -> None:
        """Why there is no figure."""
        self._console.print(f"    [red]{part.key}: not run: [/]", end="", highlight=False)
        self._console.print(problem, style="red", markup=False, highlight=False)
