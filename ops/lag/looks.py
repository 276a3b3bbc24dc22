"""Looks at the lag, one after another, over the same connections."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass

from ops.lag.reader import lag_reader
from ops.lag.report import LagReport
from ops.lag.waiting import AT_ONCE, Effort, Waiting, waiting_reader
from schemas.settings import Settings


@dataclass(frozen=True, slots=True)
class Look:
    """How far the groups are behind, and what that means."""

    report: LagReport
    waiting: Waiting

    def as_json(self) -> dict[str, object]:
        """Both as one JSON object; ages in seconds, 0 where nothing waits."""
        ages_s = self.waiting.ages_s
        return {
            "partitions": [
                found.as_json() | {"oldest_s": ages_s.get(found.where, 0.0)} for found in self.report.partitions
            ],
            "totals": self.report.totals,
            "oldest_s": {group: self.waiting.age_s(group) for group in self.report.groups},
            "unapplied": self.waiting.money.as_json(),
        }


async def looks_at(settings: Settings, *, every_s: float, effort: Effort = AT_ONCE) -> AsyncGenerator[Look]:
    """One look now and then, for ever, ``every_s`` after the last one. Close it.

    Raises TopicReadError, KafkaError, OSError or asyncpg.PostgresError.
    """
    async with AsyncExitStack() as stack:
        lags = await stack.enter_async_context(lag_reader(settings))
        waits = await stack.enter_async_context(waiting_reader(settings, effort))
        while True:
            report = await lags.read()
            yield Look(report, await waits.read(report))
            await asyncio.sleep(every_s)
