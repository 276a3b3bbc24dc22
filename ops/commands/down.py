"""``hfts down``: stops the embedded stack."""

import typer

from ops.data_dir import DataDir


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("down")(down_command)


def down_command(*, data_dir: DataDir = None) -> None:
    """Stop the stack of a folder and wait until nothing of it runs. Its data stay."""
    from ops.embedded.layout import Layout, default_folder  # noqa: PLC0415 (keeps --help quick)
    from ops.embedded.stopping import stop_stack  # noqa: PLC0415

    layout = Layout((data_dir or default_folder()).absolute())
    print("stopped" if stop_stack(layout) else f"no stack is running in {layout.folder}")
