"""``hfts create-admin``: the first admin account, and those of operators and analysts."""

import os
from typing import Annotated, Literal

import typer

from ops.errors import CommandError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("create-admin")(create_admin_command)


def create_admin_command(
    *,
    role: Annotated[
        Literal["admin", "ops", "analyst"],
        typer.Option(help="What the account may do: everything, the dashboard, or reading the ledger."),
    ] = "admin",
) -> None:
    """Make ADMIN_EMAIL an admin, an operator or an analyst, with ADMIN_PASSWORD.

    Both come from the environment. May be repeated.
    """
    import asyncio  # noqa: PLC0415 (keeps --help quick, like the imports below)

    from ops.admin import ensure_admin  # noqa: PLC0415
    from ops.configuration import load_settings  # noqa: PLC0415
    from ops.server_errors import explained  # noqa: PLC0415

    email, password = os.environ.get("ADMIN_EMAIL"), os.environ.get("ADMIN_PASSWORD")
    if not email or not password:
        raise CommandError("set the environment variables ADMIN_EMAIL and ADMIN_PASSWORD")
    settings = load_settings()
    with explained(settings):
        changed = asyncio.run(ensure_admin(settings, email, password, role))
    named = {"admin": "an admin", "ops": "an operator", "analyst": "an analyst"}[role]
    print(f"{email} is {named}" if changed else f"{email} was {named} with this password already")
