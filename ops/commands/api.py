"""``hfts api``: the HTTP API."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("api")(api_command)


def api_command() -> None:
    """Serve the HTTP API on API_HOST and API_PORT, and the dashboard at /ops."""
    from ingest_api.server import run  # noqa: PLC0415 (keeps --help quick)
    from ops.configuration import load_settings  # noqa: PLC0415
    from ops.dashboard.extension import dashboard  # noqa: PLC0415

    run(load_settings(), dashboard())
