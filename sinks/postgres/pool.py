"""Connections to PostgreSQL with the settings every part relies on."""

import ssl
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from schemas.settings import Settings
from sinks.postgres.application_name import application_name
from sinks.postgres.migrate import known_migrations
from sinks.postgres.pool_use import count_connections_of
from sinks.tls import client_context

Connection: TypeAlias = "asyncpg.Connection | PoolConnectionProxy"
"""A connection of its own, or one borrowed from a pool."""

COMMAND_TIMEOUT_S = 30.0

IDLE_IN_TRANSACTION_TIMEOUT = "4s"
"""After this the server ends a transaction whose process does not go on: one that was stopped, or cut off, would keep
its wallets locked for whoever has taken its work over."""


def connection_options(settings: Settings) -> dict[str, Any]:
    """Keyword arguments for asyncpg.connect and create_pool.

    ``jit`` is off because compiling costs more than any of our statements takes; a lock is waited for at most 10 s,
    so that a stuck holder turns into an error that is retried. Raises TlsFileError and MigrationError.
    """
    return {
        "host": settings.postgres_host,
        "port": settings.postgres_port,
        "user": settings.postgres_user,
        "password": settings.postgres_password.get_secret_value(),
        "database": settings.postgres_db,
        "ssl": _tls(settings),
        "timeout": 10.0,
        "command_timeout": COMMAND_TIMEOUT_S,
        "server_settings": {
            "jit": "off",
            "timezone": "UTC",
            "lock_timeout": "10s",
            "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT,
            "application_name": application_name(len(known_migrations())),
        },
    }


def _tls(settings: Settings) -> ssl.SSLContext | str | bool:
    """The modes of libpq (PostgreSQL manual, "SSL Support"): with ``require``, a CA that is named is checked too."""
    mode, cafile = settings.postgres_sslmode, settings.postgres_ssl_cafile
    if mode == "disable":
        return False
    if mode == "prefer":
        return mode  # asyncpg tries again without TLS, which it cannot with a context of ours
    context = client_context("POSTGRES_SSL", cafile)
    if mode == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED if cafile else ssl.CERT_NONE
    return context


async def connect(settings: Settings) -> asyncpg.Connection:
    """One connection. Raises OSError, asyncpg.PostgresError or TimeoutError when the server cannot be had."""
    return await asyncpg.connect(**connection_options(settings))


async def create_pool(
    settings: Settings,
    *,
    size_max: int,
    size_min: int = 0,
    on_connect: Callable[[asyncpg.Connection], Coroutine[Any, Any, None]] | None = None,
    statement_timeout_s: float | None = None,
) -> asyncpg.Pool:
    """A pool that opens its first connection only when one is asked for (``size_min=0``).

    The server itself ends a statement after ``statement_timeout_s``, also when we are not there any more to cancel it.

    ``on_connect`` sees each new connection first; whoever asked for one gets what it raises. Settings and session locks
    of a borrowed connection are not taken back: make none.
    """
    options = connection_options(settings)
    if statement_timeout_s is not None:
        options["server_settings"]["statement_timeout"] = f"{statement_timeout_s:.3f}s"
    pool = await asyncpg.create_pool(
        min_size=size_min, max_size=size_max, reset=_nothing_to_reset, init=on_connect, **options
    )
    count_connections_of(pool)
    return pool


async def _nothing_to_reset(_: Connection) -> None:
    """Who borrows a connection leaves nothing behind but a transaction, which asyncpg ends by itself: its own reset is
    one more statement for each."""
