"""One command at a time acts on dead letters."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ops.dlq.errors import BusyError
from ops.dlq.statements import LOCK_HOLDER, TRY_LOCK
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS
from sinks.postgres.pool import Connection, connect

# A machine that has vanished holds the lock until the server notices: within half a minute instead of two hours.
_NOTICE_THE_VANISHED = "set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3"


@asynccontextmanager
async def exclusive(settings: Settings) -> AsyncIterator[Connection]:
    """A connection that holds the lock. Write through this one only: if it is lost, so is the right to write.

    Raises BusyError when another command has the lock.
    """
    database = await connect(settings)
    try:
        topic = settings.topic_name(DEAD_LETTERS)
        if not await database.fetchval(TRY_LOCK, topic):
            raise BusyError(_busy(await database.fetchrow(LOCK_HOLDER, topic)))
        await database.execute(_NOTICE_THE_VANISHED)
        yield database
    finally:
        await database.close()


def _busy(holder: Any) -> str:
    if holder is None:  # it has just ended
        return "another command was replaying or discarding until just now: run this one again"
    return (
        f"another command is replaying or discarding, over PostgreSQL's backend {holder['pid']} since "
        f"{holder['backend_start']:%Y-%m-%d %H:%M:%S} UTC: wait until it ends. If it hangs, end it, or its connection "
        f"with: select pg_terminate_backend({holder['pid']})"
    )
