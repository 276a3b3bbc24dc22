"""Values of options that are no plain texts."""

from datetime import datetime
from uuid import UUID

import typer

from schemas.moments import parse_moment


def moment_option(text: str) -> datetime:
    """A time with its zone, in UTC. Raises typer.BadParameter."""
    try:
        return parse_moment(text)
    except ValueError as error:
        raise typer.BadParameter(f"--at {error}") from None


def wallet_option(text: str) -> str:
    """A wallet's id in lower case. Raises typer.BadParameter."""
    try:
        return str(UUID(text))
    except ValueError:
        raise typer.BadParameter(f"{text[:50]!r} is not the id of a wallet") from None
