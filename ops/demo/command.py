"""Runs the demo for the command line: stack up, demo, stack down, whatever happens."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvloop
from rich.console import Console

from hfts_client.errors import HftsError
from ops.demo.display import Display
from ops.demo.run import run_demo
from ops.demo.stack import DemoStack, access_of, settings_of
from ops.errors import CommandError
from ops.load.wallets import StalledError
from ops.server_errors import explained


def run_demo_command(*, workers: int, keep: bool) -> bool:
    """Whether every figure agrees. Raises CommandError, and KeyboardInterrupt on Ctrl-C and SIGTERM."""
    console = Console()
    stack = DemoStack()
    agrees = interrupted = False
    try:
        with _terminated_like_interrupted():
            parts = f"Kafka, PostgreSQL, API, {workers} worker(s)"
            console.print(f"Starting a whole pipeline in {stack.folder}: {parts}.", soft_wrap=True)
            stack.start(workers)
            agrees = _run(stack, console)
    except KeyboardInterrupt:
        interrupted = True
        raise
    finally:
        console.print("Stopping the stack …")
        stack.stop()
        if (agrees or interrupted) and not keep:
            stack.remove()
        else:
            console.print(f"The logs are in {stack.logs}; remove {stack.folder} when you are done.", soft_wrap=True)
    if agrees:
        console.print("[bold green]Every figure agrees.[/]")
    else:
        console.print("[bold red]Something does not agree, see above.[/]")
    return agrees


def _run(stack: DemoStack, console: Console) -> bool:
    environment = stack.environment()
    settings = settings_of(environment)
    try:
        with explained(settings), Display(console) as display:
            return uvloop.run(run_demo(settings, access_of(environment), display))
    except StalledError as error:
        raise CommandError(str(error)) from error
    except HftsError as error:
        raise CommandError(f"the API does not play along: {error}") from error


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """SIGTERM as Ctrl-C, so that the stack is stopped in either case."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
