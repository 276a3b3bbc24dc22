"""``hfts up``: the embedded stack."""

from typing import TYPE_CHECKING, Annotated

import typer

from ops.data_dir import DataDir

if TYPE_CHECKING:
    from ops.embedded.plan import StackOptions


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("up")(up_command)


def up_command(
    *,
    data_dir: DataDir = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return once everything is ready.")] = False,
    workers: Annotated[int, typer.Option(help="Worker processes.", min=0)] = 1,
    brokers: Annotated[int | None, typer.Option(help="Kafka brokers: 1, 3 or 5. At first, 1.")] = None,
    partitions: Annotated[int | None, typer.Option(help="Partitions a topic. At first, 12.", min=1)] = None,
    api_port: Annotated[int | None, typer.Option(help="Port of the API.", min=1, max=65535)] = None,
    postgres_port: Annotated[int | None, typer.Option(help="Port of PostgreSQL.", min=1, max=65535)] = None,
    kafka_port: Annotated[int | None, typer.Option(help="Port of the first broker.", min=1, max=65535)] = None,
    api: Annotated[bool, typer.Option(help="Run the API, too.")] = True,
    report_to: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run Kafka, PostgreSQL, the API and workers on this machine until Ctrl-C.

    Data, logs and generated passwords stay in the folder. Ports not given are chosen, and kept for the next start.
    """
    import uvloop  # noqa: PLC0415 (keeps --help quick, like the imports below)
    from rich.console import Console  # noqa: PLC0415

    from ops.embedded.detached import start_detached  # noqa: PLC0415
    from ops.embedded.layout import default_folder  # noqa: PLC0415
    from ops.embedded.plan import StackOptions  # noqa: PLC0415
    from ops.embedded.reporting import ConsoleReporter, PipeReporter  # noqa: PLC0415
    from ops.embedded.supervisor import Supervisor  # noqa: PLC0415

    folder = (data_dir or default_folder()).absolute()
    options = StackOptions(brokers, partitions, api_port, postgres_port, kafka_port)
    if detach:
        flags = [f"--data-dir={folder}", f"--workers={workers}", "--api" if api else "--no-api", *_flags(options)]
        start_detached(folder, flags, ConsoleReporter(Console()))
        return
    reporter = ConsoleReporter(Console()) if report_to is None else PipeReporter(report_to, Console())
    uvloop.run(Supervisor(folder, options, workers=workers, api=api, reporter=reporter).run())


def _flags(options: "StackOptions") -> list[str]:
    """The options that were given, as they stand on a command line."""
    given = {
        "--brokers": options.brokers,
        "--partitions": options.partitions,
        "--api-port": options.api_port,
        "--postgres-port": options.postgres_port,
        "--kafka-port": options.kafka_port,
    }
    return [f"{name}={value}" for name, value in given.items() if value is not None]
