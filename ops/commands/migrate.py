"""``hfts migrate``: the database's schema."""

from typing import TYPE_CHECKING, Annotated

import typer

from sinks.postgres.migration_files import Step

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import asyncpg


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Bring the database's schema up to date, or back.")
    group.callback(invoke_without_command=True)(up_by_default)
    group.command("up")(up_command)
    group.command("down")(down_command)
    group.command("status")(status_command)
    app.add_typer(group, name="migrate")


def up_by_default(context: typer.Context) -> None:
    """Bring the database's schema up to date (up, the default), or back (down); see what it has (status)."""
    if context.invoked_subcommand is None:
        up_command()


def up_command(
    step: Annotated[
        Step | None,
        typer.Option(help="Only those due before the processes of a release start, or when those before have ended."),
    ] = None,
) -> None:
    """Apply the migrations that are missing."""
    from sinks.postgres import migrate  # noqa: PLC0415 (keeps --help quick)

    async def run(connection: "asyncpg.Connection") -> None:
        known = migrate.known_migrations()
        applied = await migrate.migrate_up(connection, known, step)
        for migration in applied:
            print(f"applied {migration.title}")
        left = [each for each in await migrate.migration_status(connection, known) if not each.applied]
        for each in left:
            print(f"{each.title} is left for hfts migrate up --step {each.step}")
        if not applied and not left:
            print("the database is up to date")

    _with_connection(run)


def down_command(
    to: Annotated[int, typer.Option("--to", min=0, help="The version to go back to; 0: nothing.")],
) -> None:
    """Take back every migration above a version. What they hold is lost."""
    from sinks.postgres.migrate import known_migrations, migrate_down  # noqa: PLC0415 (keeps --help quick)

    async def run(connection: "asyncpg.Connection") -> None:
        undone = await migrate_down(connection, known_migrations(), to)
        for migration in undone:
            print(f"took back {migration.title}")
        if not undone:
            print("there is nothing to take back")

    _with_connection(run)


def status_command() -> None:
    """List the migrations, their steps, and whether the database has them."""
    from sinks.postgres.migrate import known_migrations, migration_status  # noqa: PLC0415 (keeps --help quick)

    async def run(connection: "asyncpg.Connection") -> None:
        for row in await migration_status(connection, known_migrations()):
            state = "applied" if row.applied else "missing"
            print(f"{row.title}  {row.step}  {state}{'' if row.known else ' by a newer version'}")

    _with_connection(run)


def _with_connection(run: "Callable[[asyncpg.Connection], Awaitable[None]]") -> None:
    import asyncio  # noqa: PLC0415 (keeps --help quick, like the imports below)

    from ops.configuration import load_settings  # noqa: PLC0415
    from ops.server_errors import explained  # noqa: PLC0415
    from sinks.postgres.pool import connect  # noqa: PLC0415

    settings = load_settings()

    async def connected() -> None:
        connection = await connect(settings)
        try:
            await run(connection)
        finally:
            await connection.close()

    with explained(settings):
        asyncio.run(connected())
