"""``hfts audit verify``: the chain of the audit topic."""

from typing import Annotated

import typer


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("verify")(verify_command)


def verify_command(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Check sequence and hashes of the whole audit topic; exit 1 and name the first bad record of a partition."""
    import asyncio  # noqa: PLC0415 (keeps --help quick, like the imports below)
    from functools import partial  # noqa: PLC0415

    import orjson  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415

    from ops.audit.table import print_audit  # noqa: PLC0415
    from ops.audit.verify import verify_audit  # noqa: PLC0415
    from ops.configuration import load_settings  # noqa: PLC0415
    from ops.reading_progress import reading_progress  # noqa: PLC0415
    from ops.server_errors import explained  # noqa: PLC0415

    settings = load_settings()
    with explained(settings), reading_progress() as progress:
        report = asyncio.run(verify_audit(settings, partial(progress, "audit records")))
    if as_json:
        print(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        print_audit(Console(), report)
    raise typer.Exit(0 if report.sound else 1)
