"""Whether the API can serve: each part is asked, within a bounded time."""

import asyncio
from collections.abc import Awaitable

from sinks.directory.database import Database
from sinks.errors import SinkError
from sinks.kafka.requests import RequestPublisher

CHECK_TIMEOUT_S = 2.0

DATABASE = "database"
BROKER = "broker"


class Readiness:
    """Asks the database for its schema and the broker for the request topic."""

    def __init__(self, database: Database, requests: RequestPublisher) -> None:
        self._database = database
        self._requests = requests

    async def missing(self) -> list[tuple[str, str]]:
        """The parts that are not ready, each with what is wrong. Empty when all is well."""
        found = await asyncio.gather(
            _bounded(DATABASE, self._database.check_schema()), _bounded(BROKER, self._requests.check_topic())
        )
        return [fault for fault in found if fault is not None]


async def _bounded(part: str, check: Awaitable[None]) -> tuple[str, str] | None:
    try:
        await asyncio.wait_for(check, CHECK_TIMEOUT_S)
    except TimeoutError:
        return part, f"no answer within {CHECK_TIMEOUT_S:g} s"
    except SinkError as error:
        return part, str(error)
    return None
