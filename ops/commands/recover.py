"""``hfts recover``: after the ledger or Kafka was restored, or lost."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("recover")(recover_command)


def recover_command(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is wrong, and change nothing.")] = False,
    decide_again: Annotated[
        bool,
        typer.Option(
            "--decide-again",
            help="Apply the requests of a restored ledger anew where it cannot be made what was told.",
        ),
    ] = False,
) -> None:
    """Bring the ledger and the topics back together after one of them was restored or lost.

    Stop the API and the workers first. Cut off, run it again.
    """
    import asyncio  # noqa: PLC0415 (keeps --help quick, like the imports below)

    from ops.configuration import load_settings  # noqa: PLC0415
    from ops.reading_progress import reading_progress  # noqa: PLC0415
    from ops.recover.run import recover  # noqa: PLC0415
    from ops.server_errors import explained  # noqa: PLC0415

    settings = load_settings()
    with explained(settings), reading_progress() as progress:
        asyncio.run(recover(settings, dry_run=dry_run, decide=decide_again, say=print, progress=progress))
