"""A feed of outcomes in this process, and clients that read its streams."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from told_outcomes import told

from ingest_api import transfer_events
from ingest_api.outcome_reader import Outcomes
from ingest_api.tokens import Caller
from schemas.access import RIGHTS, Role
from schemas.transfers import Outcome
from sinks.errors import BrokerAwayError
from sinks.kafka.records import Consumed

if TYPE_CHECKING:
    from tests.unit.conftest import Api

USER, OTHER = str(uuid4()), str(uuid4())
PARTITIONS = 2


class FakePast:
    """What stands on the topic."""

    def __init__(self) -> None:
        self.records: list[list[Consumed]] = [[] for _ in range(PARTITIONS)]
        self.is_away = False

    @property
    def bounds(self) -> list[tuple[int, int]]:
        return [(0, len(records)) for records in self.records]

    @asynccontextmanager
    async def opened(self, partitions: int) -> AsyncIterator["FakePast"]:
        assert partitions == PARTITIONS
        if self.is_away:
            raise BrokerAwayError("away")
        yield self

    async def between(self, partition: int, begin: int, end: int) -> AsyncGenerator[list[Consumed]]:
        for record in self.records[partition][begin:end]:
            yield [record]


class Scene:
    """A feed that runs, and outcomes that come."""

    def __init__(self, api: "Api") -> None:
        self.api = api
        self.past = FakePast()
        found: Any = self.past
        self.outcomes: Outcomes = replace(api.app.state.services.outcomes, past=found)
        self.feed = self.outcomes.events
        self.feed.begin([0] * PARTITIONS)

    def tell(self, *said: Outcome, partition: int = 0, reaches: bool = True) -> None:
        """These come onto the topic, together; this process has not read them yet unless they reach it."""
        records = []
        for each in said:
            records.append(told(each, partition, len(self.past.records[partition])))
            self.past.records[partition].append(records[-1])
        if reaches:
            self.feed.put(partition, records)

    @asynccontextmanager
    async def stream(
        self, user: str = USER, after: str | None = None, *, role: Role = "user", sees_all: bool = False
    ) -> AsyncIterator["Client"]:
        caller = Caller(user, role, RIGHTS[role])
        async with transfer_events.transfer_events(self.outcomes, caller, after, sees_all=sees_all) as events:
            client = Client(events)
            await client.lines()  # how to come again, and from where
            yield client
            await events.aclose()


class Client:
    """Reads one stream. ``last_id``: that of the last event."""

    def __init__(self, events: AsyncGenerator[bytes]) -> None:
        self._events = events
        self.last_id = ""

    async def lines(self) -> list[str]:
        part = (await anext(self._events)).decode()
        lines = part.splitlines()
        self.last_id = next(line.removeprefix("id: ") for line in reversed(lines) if line.startswith("id: "))
        assert part.endswith("\n\n")
        return lines

    async def events(self, count: int) -> list[tuple[str, Any]]:
        """The names and data of so many events."""
        found: list[tuple[str, Any]] = []
        while len(found) < count:
            lines = await self.lines()
            names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
            data = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
            found += zip(names, data, strict=True)
        assert len(found) == count
        return found

    async def ids(self, count: int) -> list[str]:
        return [data["transfer_id"] for _, data in await self.events(count)]

    async def has_ended(self) -> bool:
        return await anext(self._events, None) is None


@asynccontextmanager
async def running_scene(api: "Api") -> AsyncIterator[Scene]:
    """One whose feed ends with it."""
    found = Scene(api)
    running = asyncio.create_task(found.feed.run())
    yield found
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()
