"""``hfts worker``: the stream agents."""

from typing import Annotated

import typer

from ops.errors import CommandError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("worker")(worker_command)


def worker_command(
    agents: Annotated[
        str | None,
        typer.Option(help="Which of transfers, notifications, audit and deliveries to run, comma-separated. All."),
    ] = None,
) -> None:
    """Run stream agents until SIGTERM. Start as many workers as you like; they share the partitions."""
    from ops.configuration import load_settings  # noqa: PLC0415 (keeps --help quick)
    from streams.worker import ALL_AGENTS, run  # noqa: PLC0415

    chosen = tuple(dict.fromkeys(name.strip() for name in agents.split(","))) if agents else ALL_AGENTS
    unknown = [name for name in chosen if name not in ALL_AGENTS]
    if unknown:
        raise CommandError(f"no agent is named {unknown[0]!r}. There are {', '.join(ALL_AGENTS)}")
    run(load_settings(), chosen)
