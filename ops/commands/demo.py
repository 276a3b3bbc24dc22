"""``hfts demo``: the whole pipeline on real input, every figure checked."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo_command)


def demo_command(
    *,
    workers: Annotated[int, typer.Option(help="Worker processes.", min=1, max=16)] = 2,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the temporary folder.")] = False,
) -> None:
    """Start a stack in a temporary folder, send it good and bad input, and check every figure; exit 1 if one differs.

    Some 350 transfers go in over HTTP and 50,000 straight to Kafka. Everything is stopped and removed afterwards;
    after a failure the folder stays, for its logs.
    """
    from ops.demo.command import run_demo_command  # noqa: PLC0415 (keeps --help quick)

    raise typer.Exit(0 if run_demo_command(workers=workers, keep=keep) else 1)
