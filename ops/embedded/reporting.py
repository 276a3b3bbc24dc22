"""What the start of a stack tells: to a person at a terminal, or through a pipe to the one who waits for it."""

import json
import os
import time
from typing import Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

MIB = 1024 * 1024


class Reporter(Protocol):
    """Hears how a stack is doing."""

    def line(self, text: str) -> None:
        """Something happened: a part is ready, or died."""

    def download(self, have_bytes: int, all_bytes: int) -> None:
        """That much of the jars is there."""

    def ready(self, rows: list[tuple[str, str]]) -> None:
        """Everything answers; these are the addresses."""

    def failed(self, text: str) -> None:
        """The start failed, and why."""


class ConsoleReporter:
    """Lines with the seconds since the start, a spinner until everything is ready, then a table."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._status = console.status("Starting the stack …")
        if console.is_terminal:
            self._status.start()

    def line(self, text: str) -> None:
        """Print it."""
        passed_s = time.monotonic() - self._began
        self._console.print(Text.assemble((f"{passed_s:7.1f} s  ", "dim"), text), soft_wrap=True)

    def download(self, have_bytes: int, all_bytes: int) -> None:
        """Show it beside the spinner; without a terminal, say it once at either end."""
        text = f"Downloading Kafka, only this once: {have_bytes // MIB} of {all_bytes // MIB} MiB"
        self._status.update(text if have_bytes < all_bytes else "Starting the stack …")
        if not self._console.is_terminal and have_bytes in {0, all_bytes}:
            self.line(text)

    def ready(self, rows: list[tuple[str, str]]) -> None:
        """Print the addresses."""
        self._clear()
        table = Table(show_header=False, box=None, padding=(0, 2))
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for name, value in rows:
            table.add_row(name, value)
        self._console.print()
        self._console.print(table)
        self._console.print()

    def failed(self, text: str) -> None:
        """Clear the spinner: the command itself says why it failed."""
        del text
        self._clear()

    def _clear(self) -> None:
        if self._console.is_terminal:
            self._status.stop()


class PipeReporter:
    """Writes JSON lines to a pipe until the start has succeeded or failed, and the lines to the log as well."""

    def __init__(self, descriptor: int, console: Console) -> None:
        self._descriptor: int | None = descriptor
        self._log = console

    def line(self, text: str) -> None:
        """Pass it on."""
        now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        self._log.print(f"{now} UTC  {text}", highlight=False, markup=False, soft_wrap=True)
        self._send("line", text)

    def download(self, have_bytes: int, all_bytes: int) -> None:
        """Pass it on."""
        self._send("download", have_bytes, all_bytes)

    def ready(self, rows: list[tuple[str, str]]) -> None:
        """Pass it on; nobody listens after that."""
        self._send("ready", rows)
        self._close()

    def failed(self, text: str) -> None:
        """Pass it on; nobody listens after that."""
        self._send("failed", text)
        self._close()

    def _send(self, *event: object) -> None:
        if self._descriptor is None:
            return
        try:
            os.write(self._descriptor, json.dumps(event).encode() + b"\n")
        except BrokenPipeError:  # whoever waited has gone; the stack goes on
            self._close()

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
