"""``hfts lag``: how far each group is behind."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("lag")(lag_command)


def lag_command(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the lag as JSON.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show it again every second until Ctrl-C.")] = False,
) -> None:
    """Show end, committed and applied offset and the lag of each group and partition."""
    import asyncio  # noqa: PLC0415 (keeps --help quick, like the imports below)

    from ops.configuration import load_settings  # noqa: PLC0415
    from ops.lag.show import show_lag  # noqa: PLC0415
    from ops.server_errors import explained  # noqa: PLC0415

    settings = load_settings()
    with explained(settings):
        asyncio.run(show_lag(settings, as_json=as_json, watch=watch))
