"""The line between an agent and its stage."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from builders import MemoryTopics, consumed
from counted import Since
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from sinks.kafka.records import Consumed, Record
from streams.line import Line, exit_on_fault, publish_outputs
from streams.stage import Commit, Output, Outputs
from streams.transport import EXIT_SOFTWARE

MIB = 1024 * 1024


class Event:
    def __init__(self, partition: int, *offsets: int) -> None:
        self.value = [consumed(offset, b"v", partition=partition) for offset in offsets]
        self.message = SimpleNamespace(partition=partition)
        self.acked = False

    def ack(self) -> bool:
        self.acked = True
        return True


class Stage:
    """Notes what it is given and what it commits, once ``gate`` is open, and publishes each record's offset."""

    agent = "test"
    input_topic = "in"

    def __init__(self) -> None:
        self.seen: list[dict[int, list[int]]] = []
        self.committed: list[dict[int, list[int]]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def resume_offsets(self, partitions: Iterable[int]) -> Mapping[int, int]:
        return {}

    def forget(self, partitions: Iterable[int]) -> None: ...

    async def prepare(self, batches: Mapping[int, Sequence[Consumed]]) -> Commit:
        seen = {partition: [r.offset for r in records] for partition, records in batches.items()}
        self.seen.append(seen)

        async def commit() -> Outputs:
            await self.gate.wait()
            self.committed.append(seen)
            return [
                [
                    Output("out", p, [(Record(None, str(r.offset).encode(), []),) for r in records])
                    for p, records in batches.items()
                ]
            ]

        return commit


class SlowTopics(MemoryTopics):
    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def publish(self, topic: str, partition: int, groups: Iterable[tuple[Record, ...]]) -> None:
        await self.gate.wait()
        await super().publish(topic, partition, groups)


async def spin(times: int = 30) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


async def test_what_waits_is_worked_off_together_and_acknowledged_once_published() -> None:
    stage, topics = Stage(), SlowTopics()
    line = Line(stage, topics, records_max=10, bytes_max=MIB)
    events = [Event(0, 1, 2), Event(1, 7), Event(0, 3)]
    for event in events:
        await line.put(event)
    running = asyncio.create_task(line.run())
    await spin()
    assert stage.seen == [{0: [1, 2, 3], 1: [7]}]
    assert not any(event.acked for event in events)
    topics.gate.set()
    await spin()
    assert all(event.acked for event in events)
    assert [r.value for r in topics.records["out", 0]] == [b"1", b"2", b"3"]
    running.cancel()


async def test_batches_overlap_and_keep_their_order() -> None:
    stage, topics = Stage(), SlowTopics()
    line = Line(stage, topics, records_max=10, bytes_max=MIB)
    running = asyncio.create_task(line.run())
    events = [Event(0, offset) for offset in range(1, 6)]
    for event in events:
        await line.put(event)
        await spin()
    assert stage.seen == [{0: [1]}, {0: [2]}, {0: [3]}], "the fourth and fifth wait for the third to be committed"
    assert stage.committed == [{0: [1]}, {0: [2]}], "the third waits until the first is published"
    topics.gate.set()
    await spin()
    assert stage.seen == stage.committed == [{0: [1]}, {0: [2]}, {0: [3]}, {0: [4, 5]}]
    assert [r.value for r in topics.records["out", 0]] == [b"1", b"2", b"3", b"4", b"5"]
    assert all(event.acked for event in events)
    running.cancel()


async def test_the_next_is_prepared_while_the_last_is_committed() -> None:
    stage = Stage()
    stage.gate.clear()
    line = Line(stage, MemoryTopics(), records_max=10, bytes_max=MIB)
    running = asyncio.create_task(line.run())
    for offset in (1, 2, 3):
        await line.put(Event(0, offset))
        await spin()
    assert (stage.seen, stage.committed) == ([{0: [1]}, {0: [2]}], [])
    stage.gate.set()
    await spin()
    assert stage.committed == [{0: [1]}, {0: [2]}, {0: [3]}]
    running.cancel()


async def test_a_full_line_holds_the_agent_up() -> None:
    stage = Stage()
    line = Line(stage, MemoryTopics(), records_max=2, bytes_max=MIB)
    await line.put(Event(0, 1, 2))
    waiting = asyncio.create_task(line.put(Event(0, 3)))
    await spin()
    assert not waiting.done()
    running = asyncio.create_task(line.run())
    await spin()
    assert waiting.done()
    running.cancel()


async def test_large_records_fill_a_line_sooner() -> None:
    stage = Stage()
    line = Line(stage, MemoryTopics(), records_max=100, bytes_max=MIB)
    large = Event(0, 1)
    large.value = [consumed(1, b"x" * MIB)]
    await line.put(large)
    waiting = asyncio.create_task(line.put(Event(0, 2)))
    await spin()
    assert not waiting.done()
    running = asyncio.create_task(line.run())
    await spin()
    assert waiting.done()
    running.cancel()


@pytest.fixture
def exits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    statuses: list[int] = []
    monkeypatch.setattr("os._exit", statuses.append)
    return statuses


async def test_a_fault_in_the_stage_ends_the_process(exits: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()

    async def fail(_batches: Any) -> Any:
        raise LookupError("no such thing")

    monkeypatch.setattr(stage, "prepare", fail)
    line = Line(stage, MemoryTopics(), records_max=10, bytes_max=MIB)
    event = Event(0, 1)
    await line.put(event)
    await exit_on_fault(line.run())
    assert exits == [EXIT_SOFTWARE]
    assert not event.acked


async def test_a_fault_in_publishing_ends_the_process(exits: list[int]) -> None:
    class Refusing(MemoryTopics):
        async def publish(self, topic: str, partition: int, groups: Any) -> None:
            raise LookupError("no such topic")

    line = Line(Stage(), Refusing(), records_max=10, bytes_max=MIB)
    event = Event(0, 1)
    await line.put(event)
    running = asyncio.create_task(exit_on_fault(line.run()))
    await spin()
    assert exits == [EXIT_SOFTWARE]
    assert not event.acked
    running.cancel()


async def test_records_that_come_again_before_they_were_worked_on_count_once() -> None:
    stage = Stage()
    line = Line(stage, MemoryTopics(), records_max=10, bytes_max=1000)
    for event in (Event(0, 1, 2), Event(1, 1), Event(0, 1, 2, 3), Event(0, 4)):
        await line.put(event)
    running = asyncio.create_task(line.run())
    await spin()
    assert stage.seen == [{0: [1, 2, 3, 4], 1: [1]}]
    running.cancel()


async def test_a_cancellation_that_nobody_asked_for_ends_the_process(exits: list[int]) -> None:
    async def waits_for_what_was_cancelled() -> None:
        raise asyncio.CancelledError

    await exit_on_fault(waits_for_what_was_cancelled())
    assert exits == [EXIT_SOFTWARE]


async def test_batches_are_measured() -> None:
    stage, counted = Stage(), Since()
    line = Line(stage, MemoryTopics(), records_max=10, bytes_max=MIB)
    for event in (Event(0, 1, 2), Event(1, 7)):
        await line.put(event)
    running = asyncio.create_task(line.run())
    await spin()
    assert counted("hfts_batch_records_count", agent="test") == 1
    assert counted("hfts_batch_records_sum", agent="test") == 3
    assert counted("hfts_batch_seconds_count", agent="test", step="publish") == 1
    running.cancel()


async def test_nothing_to_publish_takes_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, counted = Stage(), Since()

    async def nothing() -> Outputs:
        return [[], []]

    async def prepare(_batches: Any) -> Commit:
        return nothing

    monkeypatch.setattr(stage, "prepare", prepare)
    line = Line(stage, MemoryTopics(), records_max=10, bytes_max=MIB)
    event = Event(0, 1)
    await line.put(event)
    running = asyncio.create_task(line.run())
    await spin()
    assert event.acked
    assert counted("hfts_batch_seconds_count", agent="test", step="publish") == 0
    running.cancel()


async def test_what_was_published_is_told_to_who_wants_to_know() -> None:
    topics, told = SlowTopics(), []
    outputs = [[Output("out", 0, [(Record(None, b"v", []),)], lambda: told.append("published"))]]
    publishing = asyncio.create_task(publish_outputs(topics, outputs))
    await spin()
    assert told == []
    topics.gate.set()
    await publishing
    assert told == ["published"]


async def test_every_line_of_the_log_about_a_batch_says_where_it_stands() -> None:
    class Telling(Stage):
        async def prepare(self, batches: Mapping[int, Sequence[Consumed]]) -> Commit:
            log.info("preparing")
            commit = await super().prepare(batches)

            async def told() -> Outputs:
                log.info("committing")
                return await commit()

            return told

    log = structlog.get_logger()
    line = Line(Telling(), MemoryTopics(), records_max=10, bytes_max=MIB)
    with capture_logs(processors=[merge_contextvars]) as lines:
        running = asyncio.create_task(line.run())
        for event in (Event(2, 7, 8, 9), Event(0, 3)):
            await line.put(event)
        await spin()
        await line.put(Event(2, 10))
        await spin()
        running.cancel()
    both = {"agent": "test", "topic": "in", "partitions": [2, 0], "first_offsets": [7, 3], "last_offsets": [9, 3]}
    one = {"agent": "test", "topic": "in", "partitions": [2], "first_offsets": [10], "last_offsets": [10]}
    assert [{name: said[name] for name in ("event", *both)} for said in lines] == [
        {"event": "preparing", **both},
        {"event": "committing", **both},
        {"event": "preparing", **one},
        {"event": "committing", **one},
    ]
