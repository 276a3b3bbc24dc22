"""``hfts config``: the settings in force."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("config")(config_command)


def config_command() -> None:
    """Show the settings in force and what each is for, secrets masked."""
    from rich.console import Console  # noqa: PLC0415 (keeps --help quick)
    from rich.table import Table  # noqa: PLC0415

    from ops.configuration import load_settings  # noqa: PLC0415

    settings = load_settings()
    table = Table("variable", "value", "meaning", box=None)
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        table.add_row(name.upper(), "" if value is None else str(value), field.description)
    Console().print(table)
