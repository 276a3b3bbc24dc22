"""The bookkeeping of our consumer, without a broker."""

from collections import defaultdict, deque
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from builders import consumed
from faust.types import TP

from streams.transport import Consumer, ConsumerThread, Transport

P0 = TP("requests", 0)


class Thread(ConsumerThread):
    """A consumer's thread that is none."""

    def __init__(self) -> None:
        self.sought: dict[TP, int] = {}
        self.committed: list[dict[TP, int]] = []
        self.assigned = {P0, TP("requests", 1)}

    async def call_thread(self, call: Any, *args: Any) -> Any:
        return await call(*args)

    def seek(self, partition: TP, offset: int) -> None:
        self.sought[partition] = offset

    async def seek_to_committed(self) -> dict[TP, int]:
        return {P0: 3, TP("requests", 1): 4}

    async def commit(self, offsets: Mapping[TP, int]) -> bool:
        self.committed.append(dict(offsets))
        return True

    def assignment(self) -> set[TP]:
        return self.assigned


@pytest.fixture
def consumer() -> Any:
    """A consumer with only what the tested methods touch: Faust's own constructor wants a whole app."""
    made: Any = Consumer.__new__(Consumer)
    made._delivered = defaultdict(deque)
    made._acked = defaultdict(list)
    made._acked_index = defaultdict(set)
    made._gap = defaultdict(list)
    made._committed_offset = defaultdict(lambda: None)
    made._buffered_partitions = set()
    made._thread = Thread()
    return made


def deliver(consumer: Any, *offsets: int) -> None:
    consumer._delivered[P0].extend(offsets)


def ack(consumer: Any, offset: int) -> None:
    consumer._acked[P0].append(offset)
    consumer._acked_index[P0].add(offset)


def test_the_registered_transport_is_ours() -> None:
    from faust.transport.drivers import by_url  # noqa: PLC0415 (the registry reads entry points)

    assert by_url("batches://localhost:9092") is Transport


def test_the_offset_after_the_last_acknowledged_batch_is_committed(consumer: Any) -> None:
    deliver(consumer, 9, 25)
    assert consumer._new_offset(P0) is None
    ack(consumer, 9)
    assert consumer._new_offset(P0) == 10
    assert consumer._new_offset(P0) is None, "nothing new since"
    ack(consumer, 25)
    assert consumer._new_offset(P0) == 26
    assert consumer._acked[P0] == []
    assert consumer._acked_index[P0] == set()


def test_a_batch_not_acknowledged_holds_back_those_behind_it(consumer: Any) -> None:
    deliver(consumer, 9, 25, 40)
    ack(consumer, 25)
    ack(consumer, 40)
    assert consumer._new_offset(P0) is None
    ack(consumer, 9)
    assert consumer._new_offset(P0) == 41


async def test_offsets_that_are_no_records_do_not_count_as_seen(consumer: Any) -> None:
    """A transaction's marker takes an offset. Faust would commit past a batch that is still being worked on."""
    deliver(consumer, 9, 25)
    ack(consumer, 9)
    await consumer._add_gap(P0, 10, 25)
    assert consumer._new_offset(P0) == 10


def test_an_acknowledgement_from_before_a_seek_commits_nothing(consumer: Any) -> None:
    deliver(consumer, 9)
    consumer._delivered.pop(P0)
    ack(consumer, 9)
    deliver(consumer, 14)
    assert consumer._new_offset(P0) is None
    ack(consumer, 14)
    assert consumer._new_offset(P0) == 15


async def test_the_app_decides_where_to_read_on(consumer: Any) -> None:
    async def resume_offsets(assignment: set[TP]) -> dict[TP, int]:
        assert assignment == {P0, TP("requests", 1)}
        return {P0: 17}

    consumer.app = SimpleNamespace(resume_offsets=resume_offsets)
    deliver(consumer, 9)
    assert await consumer.seek_to_committed() == {P0: 17, TP("requests", 1): 4}
    assert consumer._thread.sought == {P0: 17}
    assert consumer._thread.committed == [{P0: 17}], "what is done is said to be"
    assert not consumer._delivered


async def test_a_partition_that_went_meanwhile_is_not_sought(consumer: Any) -> None:
    async def resume_offsets(_assignment: set[TP]) -> dict[TP, int]:
        consumer._thread.assigned = {TP("requests", 1)}
        return {P0: 17, TP("requests", 1): 5}

    consumer.app = SimpleNamespace(resume_offsets=resume_offsets)
    await consumer.seek_to_committed()
    assert consumer._thread.sought == {TP("requests", 1): 5}


async def test_one_message_a_partition(consumer: Any) -> None:
    batches = {P0: [consumed(4, b"a"), consumed(5, b"b")], TP("requests", 1): [consumed(7, b"c", partition=1)]}

    async def fetched(_timeout: float) -> Any:
        return batches, {P0}

    consumer.app = SimpleNamespace(consumer_generation_id=1)
    consumer.flow_active = True
    consumer._stopped = SimpleNamespace(is_set=lambda: False)
    consumer._crashed = consumer._stopped
    consumer._wait_next_records = fetched
    consumer.beacon = SimpleNamespace(root=None)
    delivered = [(tp, message) async for tp, message in consumer.getmany(1.0)]
    [(tp, message)] = delivered
    assert (tp, message.offset, [record.value for record in message.value]) == (P0, 5, [b"a", b"b"])
    assert list(consumer._delivered[P0]) == [5]


async def test_what_is_said_to_be_done_already_is_not_said_again(consumer: Any) -> None:
    async def resume_offsets(_assignment: set[TP]) -> dict[TP, int]:
        return {P0: 3, TP("requests", 1): 2}

    consumer.app = SimpleNamespace(resume_offsets=resume_offsets)
    assert await consumer.seek_to_committed() == {P0: 3, TP("requests", 1): 2}
    assert consumer._thread.committed == []


def test_a_rebalance_that_comes_while_the_app_stops_does_not_hang_up(consumer: Any) -> None:
    """Else nobody could tell the group that we leave it."""
    consumer._thread._consumer = SimpleNamespace(_client=None, _coordinator=None)
    consumer.close()
    assert vars(consumer._thread._consumer) == {"_client": None, "_coordinator": None}
