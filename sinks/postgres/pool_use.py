"""How many connections the pools of this process have open, for the metrics."""

import asyncpg

from sinks.metrics import POOL_CONNECTIONS

_pools: list[asyncpg.Pool] = []


def count_connections_of(pool: asyncpg.Pool) -> None:
    """From now on, until it is closed."""
    _pools[:] = [*_open_pools(), pool]


def _open_pools() -> list[asyncpg.Pool]:
    return [pool for pool in _pools if not pool.is_closing()]


def _idle() -> int:
    return sum(pool.get_idle_size() for pool in _open_pools())


def _used() -> int:
    return sum(pool.get_size() - pool.get_idle_size() for pool in _open_pools())


POOL_CONNECTIONS.labels("idle").set_function(_idle)
POOL_CONNECTIONS.labels("used").set_function(_used)
