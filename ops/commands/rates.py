"""``hfts rates``: the agent that counts what wallets pay in a minute."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rates")(rates_command)


def rates_command() -> None:
    """Write what each wallet pays in a minute to transfers.rates, until SIGTERM. Start as many as you like."""
    from ops.configuration import load_settings  # noqa: PLC0415 (keeps --help quick)
    from streams.rates import rates_app  # noqa: PLC0415
    from streams.tables import run  # noqa: PLC0415

    run(rates_app(load_settings()))
