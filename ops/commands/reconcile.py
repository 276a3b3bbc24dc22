"""``hfts reconcile``: every invariant over the whole ledger and the topics."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reconcile")(reconcile_command)


def reconcile_command(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    settled: Annotated[
        bool, typer.Option("--settled", help="Nothing may be under way any more: what is pending is at fault.")
    ] = False,
) -> None:
    """Check the ledger and the topics against each other; exit 1 and name the rows at fault if they disagree.

    What is on its way is counted as pending and is no fault, unless its agent has already committed past it. The result
    is noted in the database, for the dashboard and the metrics.
    """
    import asyncio  # noqa: PLC0415 (keeps --help quick, like the imports below)
    import sys  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415

    import orjson  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415

    from ops.configuration import load_settings  # noqa: PLC0415
    from ops.reading_progress import reading_progress  # noqa: PLC0415
    from ops.reconcile.record import record_run  # noqa: PLC0415
    from ops.reconcile.run import reconcile  # noqa: PLC0415
    from ops.reconcile.table import print_report  # noqa: PLC0415
    from ops.server_errors import explained  # noqa: PLC0415

    settings = load_settings()
    started_at = datetime.now(UTC)
    with explained(settings), reading_progress() as progress:
        report = asyncio.run(reconcile(settings, settled=settled, progress=progress))
    warning = asyncio.run(record_run(settings, started_at, report))
    if warning is not None:
        print(f"hfts: {warning}", file=sys.stderr)
    if as_json:
        print(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        print_report(Console(), report)
    raise typer.Exit(0 if report.holds else 1)
