"""A progress bar for each thing read, on standard error, so that standard output stays clean."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


@contextmanager
def reading_progress() -> Iterator[Callable[[str, int, int], None]]:
    """A function told (name, done, total). Draws only on a terminal."""
    console = Console(stderr=True)
    bars = Progress(
        TextColumn("{task.description:<14}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    tasks: dict[str, TaskID] = {}

    def show(name: str, done: int, total: int) -> None:
        if name not in tasks:
            tasks[name] = bars.add_task(name.replace("_", " "), total=total)
        bars.update(tasks[name], completed=done, total=total)

    with bars:
        yield show
