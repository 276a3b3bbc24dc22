"""What the transfers stage looks at before it takes partitions over."""

import asyncio
from collections.abc import Collection, Iterable, Mapping

import pytest
from builders import MemoryTopics
from memory_ledger import MemoryLedger

from schemas.settings import Settings
from schemas.topics import TRANSFERS_OUTCOMES
from sinks.errors import ShorterTopicError
from sinks.ledger.speculation import SpeculativeLedger
from sinks.ledger.transaction import has_rows
from streams.transfers import TransfersStage

SETTINGS = Settings(_env_file=None, postgres_password="none", secret_key="k" * 40)


class Markers(MemoryTopics):
    """Outcomes of which the first takeover has left a marker, or nobody has any yet."""

    def __init__(self) -> None:
        super().__init__()
        self.markers = 0

    async def end_offsets(self, topic: str, partitions: Iterable[int]) -> Mapping[int, int]:
        if topic != SETTINGS.topic_name(TRANSFERS_OUTCOMES):
            return await super().end_offsets(topic, partitions)
        return dict.fromkeys(partitions, self.markers)


class SharedLedger(MemoryLedger):
    """Whoever had the partition before us has applied a request when we ask."""

    def __init__(self, topics: Markers, *, markers: int) -> None:
        super().__init__()
        self._topics = topics
        self._markers = markers

    async def progress(self, partitions: Collection[int]) -> dict[int, int]:
        await asyncio.sleep(0)
        self._topics.markers = self._markers
        return dict.fromkeys(partitions, 1)

    async def has_rows(self, partitions: Collection[int], below: int) -> bool:
        assert (list(partitions), below) == ([0], 1)
        return True


@pytest.fixture
def topics() -> Markers:
    return Markers()


def stage_with(ledger: MemoryLedger, topics: Markers) -> TransfersStage:
    stage = TransfersStage(SETTINGS, topics)
    stage._ledger = SpeculativeLedger(ledger)
    return stage


async def test_who_had_the_partition_a_moment_ago_has_left_a_marker(topics: Markers) -> None:
    stage = stage_with(SharedLedger(topics, markers=1), topics)
    assert await stage.resume_offsets([0]) == {0: 0}


async def test_without_a_marker_the_outcomes_are_gone(topics: Markers) -> None:
    stage = stage_with(SharedLedger(topics, markers=0), topics)
    with pytest.raises(ShorterTopicError, match=r"the outcomes of partitions \[0\] are gone"):
        await stage.resume_offsets([0])


async def test_a_look_at_the_whole_ledger_may_take_long() -> None:
    class Connection:
        async def fetchval(self, _statement: str, *_: object, timeout: float) -> bool:  # noqa: ASYNC109 (asyncpg's name)
            return timeout > 600

    assert await has_rows(Connection(), [0], 1)  # type: ignore[arg-type]
