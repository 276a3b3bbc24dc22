"""Says what is going on: with moving bars on a terminal, in plain lines elsewhere."""

import time
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

PLAIN_INTERVAL_S = 3.0
"""How often a progress is told where there is no terminal."""


class Display:
    """A line for each step done, and bars for the one under way. Use it as a context manager."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._start_s = time.monotonic()
        self._tasks: dict[str, TaskID] = {}
        self._told_s = self._start_s
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<40}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def say(self, text: str) -> None:
        """A step is done, or a note; the bars of the step go."""
        for task in self._tasks.values():
            self._bars.remove_task(task)
        self._tasks.clear()
        self._told_s = time.monotonic()
        passed_s = self._told_s - self._start_s
        self.console.print(f"[dim]{passed_s:6.1f} s[/]  {text}", highlight=False, soft_wrap=True)

    def progress(self, name: str, done: int, total: int) -> None:
        """So much of a step is done."""
        if not self.console.is_terminal:
            self._tell_plainly(name, done, total)
            return
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total)
        self._bars.update(self._tasks[name], completed=done, total=total)

    def _tell_plainly(self, name: str, done: int, total: int) -> None:
        if time.monotonic() - self._told_s >= PLAIN_INTERVAL_S:
            self._told_s = time.monotonic()
            self.console.print(f"          {name}: {done:,} of {total:,}", highlight=False, soft_wrap=True)
