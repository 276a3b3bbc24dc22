"""Connections to PostgreSQL with the settings every part relies on."""

from typing import Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from schemas.settings import Settings

Connection: TypeAlias = "asyncpg.Connection | PoolConnectionProxy"
"""A connection of its own, or one borrowed from a pool."""

COMMAND_TIMEOUT_S = 30.0


def connection_options(settings: Settings) -> dict[str, Any]:
    """Keyword arguments for asyncpg.connect and create_pool.

    ``jit`` is off because compiling costs more than any of our statements takes; a lock is waited for at most 10 s,
    so that a stuck holder turns into an error that is retried.
    """
    return {
        "host": settings.postgres_host,
        "port": settings.postgres_port,
        "user": settings.postgres_user,
        "password": settings.postgres_password.get_secret_value(),
        "database": settings.postgres_db,
        "timeout": 10.0,
        "command_timeout": COMMAND_TIMEOUT_S,
        "server_settings": {"jit": "off", "timezone": "UTC", "lock_timeout": "10s", "application_name": "hfts"},
    }


async def connect(settings: Settings) -> asyncpg.Connection:
    """One connection. Raises OSError, asyncpg.PostgresError or TimeoutError when the server cannot be had."""
    return await asyncpg.connect(**connection_options(settings))


async def create_pool(settings: Settings, *, size_max: int, size_min: int = 0) -> asyncpg.Pool:
    """A pool that opens its first connection only when one is asked for (``size_min=0``)."""
    return await asyncpg.create_pool(min_size=size_min, max_size=size_max, **connection_options(settings))
