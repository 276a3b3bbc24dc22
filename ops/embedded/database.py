"""The embedded PostgreSQL's account and database for the pipeline."""

import asyncio

import asyncpg

from ops.embedded.postgres import SUPERUSER
from schemas.settings import Settings

_POLL_S = 0.1


async def wait_until_accepting(port: int, superuser_password: str) -> None:
    """Return once the server accepts connections, recovery included. Bound it with asyncio.timeout."""
    while True:
        try:
            connection = await connect_superuser(port, superuser_password)
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError):
            await asyncio.sleep(_POLL_S)
        else:
            await connection.close()
            return


async def connect_superuser(port: int, password: str, database: str = "postgres") -> asyncpg.Connection:
    """A connection that may do anything."""
    return await asyncpg.connect(
        host="127.0.0.1", port=port, user=SUPERUSER, password=password, database=database, timeout=10.0
    )


async def ensure_database(settings: Settings, superuser_password: str) -> None:
    """Make the pipeline's account and its database, where they are missing."""
    connection = await connect_superuser(settings.postgres_port, superuser_password)
    user, database = settings.postgres_user, settings.postgres_db
    try:
        known = await connection.fetchval("select true from pg_roles where rolname = $1", user)
        verb = "alter" if known else "create"
        # PostgreSQL takes no parameters here; it quotes the parts itself.
        statement = await connection.fetchval(
            f"select format('{verb} role %I login createdb password %L', $1::text, $2::text)",
            user,
            settings.postgres_password.get_secret_value(),
        )
        await connection.execute(statement)
        if not await connection.fetchval("select true from pg_database where datname = $1", database):
            statement = await connection.fetchval(
                "select format('create database %I owner %I', $1::text, $2::text)", database, user
            )
            await connection.execute(statement)
    finally:
        await connection.close()
