"""``hfts deliveries``: notifications that could not be delivered."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="Notifications that could not be delivered.", no_args_is_help=True)
    group.command("list")(list_command)
    group.command("retry")(retry_command)
    app.add_typer(group, name="deliveries")


def list_command(
    *,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many to show.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """List failed deliveries with what went wrong at last, the newest first."""
    import asyncio  # noqa: PLC0415 (keeps --help quick, like the imports below)

    from rich.console import Console  # noqa: PLC0415

    from ops.configuration import load_settings  # noqa: PLC0415
    from ops.deliveries.failed import as_line, as_table, list_failed  # noqa: PLC0415
    from ops.server_errors import explained  # noqa: PLC0415

    settings = load_settings()
    with explained(settings):
        rows = asyncio.run(list_failed(settings, limit))
    if as_json:
        for row in rows:
            print(as_line(dict(row)))
    elif rows:
        Console().print(as_table([dict(row) for row in rows]))
    else:
        Console().print("No delivery has failed.")


def retry_command(
    transfer_ids: Annotated[list[str] | None, typer.Argument(metavar="TRANSFER_ID", help="Of these transfers.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All that failed. Instead of transfers.")] = False,
) -> None:
    """Try failed deliveries again, as if they had just been queued: up to four times, with the same message ids."""
    import asyncio  # noqa: PLC0415
    from uuid import UUID  # noqa: PLC0415

    from ops.configuration import load_settings  # noqa: PLC0415
    from ops.deliveries.failed import retry_failed  # noqa: PLC0415
    from ops.errors import CommandError  # noqa: PLC0415
    from ops.server_errors import explained  # noqa: PLC0415

    if bool(transfer_ids) == everything:
        raise CommandError("name transfers, or say --all")
    try:
        chosen = None if everything else [UUID(each) for each in transfer_ids or []]
    except ValueError:
        raise CommandError("a transfer's id is a UUID") from None
    settings = load_settings()
    with explained(settings):
        count = asyncio.run(retry_failed(settings, chosen))
    print(f"{count} queued again")
