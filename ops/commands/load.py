"""``hfts load``: a load at a fixed rate, with latencies; or as many transfers as fast as it goes."""

from enum import StrEnum
from typing import Annotated

import typer

COUNT_DEFAULT = 100_000


class Via(StrEnum):
    """Where requests go in."""

    HTTP = "http"
    KAFKA = "kafka"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("load")(load_command)


def load_command(
    *,
    rate: Annotated[float, typer.Option(help="Transfers a second; 0: as fast as it goes, see --count.", min=0)],
    duration_s: Annotated[float, typer.Option("--duration", help="Seconds.", min=0.1, max=86_400)] = 10.0,
    via: Annotated[Via, typer.Option(help="Over HTTP, or straight to Kafka.")] = Via.KAFKA,
    wallets: Annotated[
        int | None,
        typer.Option(
            help="Wallets to send between. 1000; over HTTP, where each is an account to register, 50.",
            min=2,
            max=10_000_000,
        ),
    ] = None,
    count: Annotated[int, typer.Option(help="How many transfers, with --rate 0.", min=1)] = COUNT_DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Make wallets, send transfers between them, and tell how many completed and how long they took.

    Sends happen at times fixed beforehand; a latency runs from the intended time to the outcome on its topic. The way
    through HTTP needs API_URL, ADMIN_EMAIL and ADMIN_PASSWORD, as `hfts env` prints them.
    """
    import orjson  # noqa: PLC0415 (keeps --help quick, like the imports below)
    from rich.console import Console  # noqa: PLC0415

    from ops.errors import CommandError  # noqa: PLC0415
    from ops.load.command import run_load  # noqa: PLC0415

    if rate == 0 and via is Via.HTTP:
        raise CommandError("--rate 0 goes straight to Kafka. Leave --via out, or give a rate")
    over_http = via is Via.HTTP
    if wallets is None:
        wallets = 50 if over_http else 1_000
    report = run_load(rate=rate, duration_s=duration_s, over_http=over_http, wallets=wallets, count=count)
    if as_json:
        print(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        Console().print(report.table())
    raise typer.Exit(0 if report.sound else 1)
