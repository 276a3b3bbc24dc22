"""``hfts audit export``, ``query`` and ``balance``: the audit topic as files, as a database, and against the ledger."""

from pathlib import Path
from typing import Annotated

import typer

from ops.export.formats import Format

_DEFAULT = Path("audit-export")


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("export")(export_command)
    group.command("query")(query_command)
    group.command("balance")(balance_command)


def export_command(
    *,
    to: Annotated[Path, typer.Option("--to", help="The folder to export to; it is made.")] = _DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Write what is new in the audit topic to Parquet files, a folder a day; exit 1 at a record that was tampered with.

    It goes on behind what the folder has, and may be killed at any time. One export at a time writes to a folder.
    """
    from functools import partial  # noqa: PLC0415 (keeps --help quick, like the imports below)

    import orjson  # noqa: PLC0415
    import uvloop  # noqa: PLC0415

    from ops.configuration import load_settings  # noqa: PLC0415
    from ops.export.packages import require_packages  # noqa: PLC0415
    from ops.reading_progress import reading_progress  # noqa: PLC0415
    from ops.server_errors import explained  # noqa: PLC0415

    require_packages()
    from ops.export.run import export_audit  # noqa: PLC0415

    settings = load_settings()
    with explained(settings), reading_progress() as progress:
        exported = uvloop.run(export_audit(settings, to, partial(progress, "audit records")))
    if as_json:
        print(orjson.dumps(exported.as_json()).decode())
    else:
        print(
            f"{exported.records_added:,} records exported; {exported.folder} has {exported.records:,} "
            f"in {exported.files:,} files."
        )


def query_command(
    sql: Annotated[str, typer.Argument(metavar="SELECT", help="The query, in DuckDB's SQL.")],
    *,
    source: Annotated[Path, typer.Option("--from", help="The folder of an export; there need be none.")] = _DEFAULT,
    form: Annotated[Format, typer.Option("--format", help="How to print the answer.")] = Format.TABLE,
) -> None:
    """Ask the export and what stands on the topic behind it, as one: `transfers`, and views such as `daily_volume`.

    A query only reads, and nothing but these. `select * from duckdb_views()` shows what there is.
    """
    from ops.bulk_reading import run_bulk_reading  # noqa: PLC0415 (keeps --help quick, like the imports below)
    from ops.configuration import load_settings  # noqa: PLC0415
    from ops.export.packages import require_packages  # noqa: PLC0415
    from ops.server_errors import explained  # noqa: PLC0415

    require_packages()
    from ops.export.query import answer_query  # noqa: PLC0415

    settings = load_settings()
    with explained(settings):
        run_bulk_reading(answer_query(settings, source, sql, form))


def balance_command(
    *,
    at: Annotated[str, typer.Option(metavar="TIME", help="RFC 3339, such as 2026-01-31T23:59:59Z.")],
    wallet: Annotated[str | None, typer.Option(metavar="ID", help="This wallet alone.")] = None,
    source: Annotated[Path, typer.Option("--from", help="The folder of an export; there need be none.")] = _DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Rebuild every balance of a moment from the audit alone and compare it with the ledger; exit 1 if they differ."""
    from functools import partial  # noqa: PLC0415

    import orjson  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415

    from ops.bulk_reading import run_bulk_reading  # noqa: PLC0415
    from ops.configuration import load_settings  # noqa: PLC0415
    from ops.export.options import moment_option, wallet_option  # noqa: PLC0415
    from ops.export.packages import require_packages  # noqa: PLC0415
    from ops.reading_progress import reading_progress  # noqa: PLC0415
    from ops.server_errors import explained  # noqa: PLC0415

    require_packages()
    from ops.export.balance_table import print_balances  # noqa: PLC0415
    from ops.export.balances import compare_balances  # noqa: PLC0415

    settings, moment = load_settings(), moment_option(at)
    wallet_id = None if wallet is None else wallet_option(wallet)
    with explained(settings), reading_progress() as progress:
        report = run_bulk_reading(
            compare_balances(settings, source, moment, wallet_id, partial(progress, "audit records"))
        )
    if as_json:
        print(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        print_balances(Console(), report)
    raise typer.Exit(0 if report.agrees else 1)
