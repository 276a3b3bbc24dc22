"""``hfts audit gaps``: whether a topic of outcomes is complete."""

from typing import Annotated, Literal

import typer


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("gaps")(gaps_command)


def gaps_command(
    *,
    topic: Annotated[
        Literal["transfers.outcomes", "audit"], typer.Option(help="The topic to read.")
    ] = "transfers.outcomes",
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Check that the versions of every wallet have no gap up to the topic's present end; exit 1 if one is missing or
    stands there twice."""
    import orjson  # noqa: PLC0415 (keeps --help quick, like the imports below)
    from rich.console import Console  # noqa: PLC0415

    from ops.audit.find_gaps import find_gaps  # noqa: PLC0415
    from ops.audit.gaps_table import print_gaps  # noqa: PLC0415
    from ops.bulk_reading import run_bulk_reading  # noqa: PLC0415
    from ops.configuration import load_settings  # noqa: PLC0415
    from ops.reading_progress import reading_progress  # noqa: PLC0415
    from ops.server_errors import explained  # noqa: PLC0415
    from schemas.topics import AUDIT, TRANSFERS_OUTCOMES  # noqa: PLC0415

    settings = load_settings()
    chosen = AUDIT if topic == AUDIT.name else TRANSFERS_OUTCOMES
    with explained(settings), reading_progress() as progress:
        report = run_bulk_reading(find_gaps(settings, chosen, progress))
    if as_json:
        print(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        print_gaps(Console(), report)
    raise typer.Exit(0 if report.complete else 1)
