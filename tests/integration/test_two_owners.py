"""Two processes that both believe they own a partition: one is held up at a point between two steps, another takes over
and finishes the work, and then the first one goes on. Nothing it still does may show."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import ProducerFenced
from builders import a_request
from pipeline_run import ANNA, BEN, WORLD, partition_of
from plain_topics import put_records
from stages import work

from ops.reconcile.run import reconcile
from ops.topic_reader import Span, group_free_consumer, read_spans, topic_spans
from schemas.crash_points import Crash, CrashPoint
from schemas.settings import Settings
from schemas.topics import AUDIT, DEAD_LETTERS, NOTIFICATIONS, TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED, Topic
from schemas.transfers import encode_request
from sinks.crash import arm
from sinks.errors import ProgressMovedError
from sinks.kafka.publisher import KafkaPublisher, Publisher
from sinks.kafka.records import Consumed, Record
from sinks.postgres.pool import connect
from streams.audit import AuditStage
from streams.line import Line
from streams.notifications import NotificationsStage
from streams.stage import Stage
from streams.transfers import TransfersStage

REQUESTS = 5
HELD_UP_S_MAX = 60.0

MakeStage = Callable[[Settings, Publisher], Stage]

COMMON = (
    CrashPoint.WITHIN_FENCE,
    CrashPoint.AFTER_FENCE,
    CrashPoint.AFTER_RESUME,
    CrashPoint.AFTER_DECODE,
    CrashPoint.BEFORE_PUBLISH,
    CrashPoint.WITHIN_PUBLISH,
    CrashPoint.AFTER_PUBLISH,
    CrashPoint.AFTER_ACK,
)
OF_TRANSFERS = (*COMMON, CrashPoint.BEFORE_COMMIT, CrashPoint.AFTER_COMMIT)
HARMLESS = {CrashPoint.AFTER_FENCE, CrashPoint.AFTER_PUBLISH, CrashPoint.AFTER_ACK}
"""Where nothing is left to do for the one that was held up, or it finds everything done."""

FOLLOWERS: dict[str, tuple[MakeStage, Topic]] = {
    "audit": (AuditStage, AUDIT),
    "notifications": (NotificationsStage, NOTIFICATIONS),
}


class Event:
    """A batch as the agent gets it."""

    def __init__(self, partition: int, records: list[Consumed]) -> None:
        self.value = records
        self.message = SimpleNamespace(partition=partition)

    def ack(self) -> bool:
        return True


async def records_of(settings: Settings, topic: str, partition: int, begin: int = 0) -> list[Consumed]:
    async with group_free_consumer(settings) as consumer:
        spans = await topic_spans(consumer, {topic: settings.topic_partitions})
        [end] = [span.end for span in spans if span.partition == partition]
        wanted = [Span(topic, partition, begin, end)] if begin < end else []
        return [record async for _, records in read_spans(consumer, wanted) for record in records]


async def own(settings: Settings, make_stage: MakeStage, name: str, partition: int) -> None:
    """What a worker does from its assignment on, for all records that there are."""
    publisher = KafkaPublisher(settings, f"{settings.topic_prefix}hfts-{name}")
    stage = make_stage(settings, publisher)
    await publisher.start()
    await stage.start()
    try:
        begin = (await stage.resume_offsets([partition]))[partition]
        records = await records_of(settings, stage.input_topic, partition, begin)
        if records:
            line = Line(stage, publisher, records_max=100, bytes_max=2**20)
            await line._publish(await work(stage, {partition: records}), [Event(partition, records)])
    finally:
        await stage.stop()
        await publisher.stop()


@pytest.fixture
def partition(settings: Settings) -> int:
    return partition_of(ANNA, settings)


@pytest.fixture
async def requests(settings: Settings, partition: int) -> AsyncIterator[None]:
    """Anna pays Ben, again and again; and a record that is no request."""
    connection = await connect(settings)
    await connection.execute(
        """with people as (
            insert into users (email, password_hash) values ('anna@example.com', 'x'), ('ben@example.com', 'x')
            returning user_id, email
        )
        insert into wallets (wallet_id, user_id, currency, balance)
        select case when email like 'anna%' then $1::uuid else $2::uuid end, user_id, 'USD', 0 from people""",
        ANNA,
        BEN,
    )
    await connection.execute("insert into wallets (wallet_id, kind, currency) values ($1, 'world', 'USD')", WORLD)
    await connection.close()
    payments = [
        encode_request(a_request(source_wallet_id=ANNA, destination_wallet_id=BEN, amount="1.0000"))
        for _ in range(REQUESTS)
    ]
    records = [Record(ANNA.encode(), value, []) for value in [*payments, b"\xff"]]
    await put_records(settings, settings.topic_name(TRANSFERS_REQUESTED), partition, records)
    yield
    arm(None)


async def take_over_while_held_up(
    settings: Settings, make_stage: MakeStage, name: str, partition: int, point: CrashPoint
) -> BaseException | None:
    """Hold one owner up at the point, let another do everything, let the first one go on. Returns how that ended."""
    is_there, may_go_on = threading.Event(), threading.Event()
    first: dict[str, Any] = {}

    def hold_up() -> None:
        if threading.current_thread() is first["thread"]:
            is_there.set()
            assert may_go_on.wait(HELD_UP_S_MAX)

    def run_first() -> None:
        try:
            asyncio.run(own(settings, make_stage, name, partition))
        except BaseException as fault:  # noqa: BLE001 (told by the caller)
            first["fault"] = fault

    # A thread of its own with its own event loop stands still as a stopped process does, connections and all.
    first["thread"] = threading.Thread(target=run_first)
    arm(Crash(point, 1, stops=False), hold_up)
    first["thread"].start()
    try:
        assert await asyncio.to_thread(is_there.wait, HELD_UP_S_MAX), f"{point} was not reached"
        await own(settings, make_stage, name, partition)
    finally:
        may_go_on.set()
        await asyncio.to_thread(first["thread"].join, HELD_UP_S_MAX)
    return first.get("fault")


async def count(settings: Settings, topic: Topic, partition: int) -> int:
    return len(await records_of(settings, settings.topic_name(topic), partition))


@pytest.mark.usefixtures("requests")
@pytest.mark.parametrize("point", OF_TRANSFERS)
async def test_transfers_are_applied_and_told_once(settings: Settings, partition: int, point: CrashPoint) -> None:
    fault = await take_over_while_held_up(settings, TransfersStage, "transfers", partition, point)
    if point in HARMLESS:
        assert fault is None
    else:
        assert isinstance(fault, ProgressMovedError | ProducerFenced)
    assert await count(settings, TRANSFERS_OUTCOMES, partition) == REQUESTS
    assert await count(settings, DEAD_LETTERS, partition) == 1
    report = await reconcile(settings)
    assert [(f.title, f.examples) for f in report.findings if f.faults] == []


@pytest.mark.usefixtures("requests")
@pytest.mark.parametrize("point", COMMON)
@pytest.mark.parametrize("name", FOLLOWERS)
async def test_followers_write_once(settings: Settings, partition: int, name: str, point: CrashPoint) -> None:
    make_stage, topic = FOLLOWERS[name]
    await own(settings, TransfersStage, "transfers", partition)
    fault = await take_over_while_held_up(settings, make_stage, name, partition, point)
    assert fault is None if point in HARMLESS else isinstance(fault, ProducerFenced)
    assert await count(settings, topic, partition) == REQUESTS
    report = await reconcile(settings)
    assert [(f.title, f.examples) for f in report.findings if f.faults] == []
