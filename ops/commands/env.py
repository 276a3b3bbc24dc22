"""``hfts env``: the running stack's addresses and credentials."""

import typer

from ops.data_dir import DataDir
from ops.errors import CommandError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("env")(env_command)


def env_command(*, data_dir: DataDir = None) -> None:
    """Print the running stack's addresses and credentials as KEY=VALUE lines.

    In a shell: set -a; eval "$(hfts env)"; set +a
    """
    from ops.embedded.environment import render, stack_settings, variables  # noqa: PLC0415 (keeps --help quick)
    from ops.embedded.layout import Layout, default_folder  # noqa: PLC0415
    from ops.embedded.state import read_state  # noqa: PLC0415

    layout = Layout((data_dir or default_folder()).absolute())
    state = read_state(layout.state)
    plan, secrets = layout.read_plan(), layout.read_secrets()
    if state is None or not state.is_supervised or plan is None or secrets is None:
        raise CommandError(f"no stack is running in {layout.folder}. Start one with hfts up")
    print(render(variables(stack_settings(plan, secrets), secrets)), end="")
