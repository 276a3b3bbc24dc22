"""``hfts reseal``: before an earlier secret key is given up."""

import typer

from ops.errors import CommandError

ACCOUNTS_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reseal")(reseal_command)


def reseal_command() -> None:
    """Seal the secrets of webhooks under SECRET_KEY, so that SECRET_KEYS_PREVIOUS may be emptied. May be repeated."""
    import asyncio  # noqa: PLC0415 (keeps --help quick, like the imports below)

    from ops.configuration import load_settings  # noqa: PLC0415
    from ops.server_errors import explained  # noqa: PLC0415
    from sinks.channels import SEAL_PURPOSE  # noqa: PLC0415
    from sinks.postgres.pool import connect  # noqa: PLC0415
    from sinks.resealing import Resealed, reseal_webhooks  # noqa: PLC0415
    from sinks.sealing import Seal  # noqa: PLC0415

    settings = load_settings()

    async def run() -> Resealed:
        connection = await connect(settings)
        try:
            return await reseal_webhooks(connection, Seal.of(settings, SEAL_PURPOSE))
        finally:
            await connection.close()

    with explained(settings):
        found = asyncio.run(run())
    print(f"sealed {found.renewed} of {found.seen} webhooks' secrets anew")
    if found.broken:
        raise CommandError(
            f"no key opens the secrets of {len(found.broken)}: put it back into SECRET_KEYS_PREVIOUS, or let these "
            f"accounts rotate theirs: {', '.join(found.broken[:ACCOUNTS_SHOWN])}"
        )
