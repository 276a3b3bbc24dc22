"""``hfts doctor``: what is wrong with this set-up."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor_command)


def doctor_command(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Find what is wrong with this set-up, and say how to mend it; exit 1 if there is a problem.

    Changes nothing, and takes half a minute at most.
    """
    import asyncio  # noqa: PLC0415 (keeps --help quick, like the imports below)

    import orjson  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415

    from ops.doctor.checks.areas import AREAS  # noqa: PLC0415
    from ops.doctor.display import print_report  # noqa: PLC0415
    from ops.doctor.facts.configuration import read_configuration  # noqa: PLC0415
    from ops.doctor.facts.facts import gather_facts  # noqa: PLC0415
    from ops.doctor.report import make_report  # noqa: PLC0415

    report = make_report(AREAS, asyncio.run(gather_facts(read_configuration())))
    if as_json:
        print(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        print_report(Console(highlight=False), report)
    raise typer.Exit(0 if report.is_sound else 1)
