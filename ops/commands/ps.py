"""``hfts ps``: the processes of the embedded stack."""

from typing import Annotated

import typer

from ops.data_dir import DataDir


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ps")(ps_command)


def ps_command(
    *,
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array.")] = False,
) -> None:
    """List the stack's processes: name, pid, state (starting, running, restarting, stopping, stopped)."""
    import json  # noqa: PLC0415 (keeps --help quick, like the imports below)

    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from ops.embedded.layout import Layout, default_folder  # noqa: PLC0415
    from ops.embedded.state import read_state  # noqa: PLC0415

    layout = Layout((data_dir or default_folder()).absolute())
    state = read_state(layout.state)
    parts = state.parts if state else []
    if as_json:
        print(json.dumps([{"name": p.name, "pid": p.pid, "state": p.state, "restarts": p.restarts} for p in parts]))
        return
    if state is None:
        print(f"no stack is running in {layout.folder}")
        return
    if not state.is_supervised:
        print("the supervisor is gone: hfts up starts the stack again, hfts down ends what is left")
    table = Table("name", "pid", "state", "restarts", box=None)
    for part in parts:
        table.add_row(part.name, str(part.pid or "-"), part.state, str(part.restarts))
    Console().print(table)
