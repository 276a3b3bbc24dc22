"""Taking partitions over again and again, through the end of the epochs, from a coordinator in memory."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import ProducerFenced
from aiokafka.protocol.transaction import AddPartitionsToTxnRequest, EndTxnRequest, InitProducerIdRequest

from sinks.kafka.fence import EPOCH_LAST, Claim, Writer, renew, take_over

WHERE = TopicPartition("outcomes", 0)
CONCURRENT_TRANSACTIONS = 51
INVALID_PRODUCER_EPOCH = 47


class Coordinator:
    """Hands out epochs as Kafka does, and notes the markers it writes. ``rival`` comes in between now and then."""

    def __init__(self, epoch: int) -> None:
        self.writer = (1, epoch)
        self.markers: list[tuple[int, int]] = []
        self.busy = 0
        self.rivals_left = 0

    async def coordinator_lookup(self, *_: object) -> int:
        return 1

    async def send(self, _node: int, request: Any, **_: object) -> Any:
        match request:
            case InitProducerIdRequest():
                return self.init()
            case AddPartitionsToTxnRequest():
                code = self.check((request._producer_id, request._producer_epoch)) or self.wait()
                return SimpleNamespace(errors=[("outcomes", [(0, code)])])
            case EndTxnRequest():
                code = self.check((request._producer_id, request._producer_epoch))
                if not code:
                    self.markers.append(self.writer)
                    self.busy = 2
                return SimpleNamespace(error_code=code)
        raise AssertionError(request)

    def init(self) -> Any:
        if self.wait():
            return SimpleNamespace(error_code=CONCURRENT_TRANSACTIONS)
        producer_id, epoch = self.writer
        self.writer = (producer_id + 1, 0) if epoch >= EPOCH_LAST else (producer_id, epoch + 1)
        found = SimpleNamespace(error_code=0, producer_id=self.writer[0], producer_epoch=self.writer[1])
        if self.rivals_left:
            self.rivals_left -= 1
            self.init()
        return found

    def wait(self) -> int:
        """Whether the markers of the last transaction are still being written."""
        self.busy = max(0, self.busy - 1)
        return CONCURRENT_TRANSACTIONS if self.busy else 0

    def check(self, writer: tuple[int, int]) -> int:
        return 0 if writer == self.writer else INVALID_PRODUCER_EPOCH


async def take(coordinator: Coordinator) -> Writer:
    client: Any = coordinator
    return await take_over(client, "hfts-transfers-0", [WHERE])


async def test_each_holder_is_fenced_by_a_marker_of_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sinks.kafka.fence.PAUSE_S", 0)
    coordinator = Coordinator(EPOCH_LAST - 150)
    producer_ids = set()
    for _ in range(100):
        writer = await take(coordinator)
        producer_ids.add(writer.producer_id)
        written = len(coordinator.markers)
        assert coordinator.markers[-1] == writer
        await take(coordinator)
        later = coordinator.markers[written:]
        assert any(marker[0] == writer.producer_id and marker[1] > writer.epoch for marker in later)
    assert producer_ids == {1, 2}


async def test_a_claim_is_renewed_as_long_as_nobody_else_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sinks.kafka.fence.PAUSE_S", 0)
    coordinator = Coordinator(0)
    client: Any = coordinator
    writer = await take(coordinator)
    await renew(client, "hfts-transfers-0", writer, [WHERE])
    assert coordinator.markers[-1] == writer
    await take(coordinator)
    with pytest.raises(ProducerFenced):
        await renew(client, "hfts-transfers-0", writer, [WHERE])


async def test_who_is_overtaken_in_the_middle_has_no_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sinks.kafka.fence.PAUSE_S", 0)
    coordinator = Coordinator(0)
    coordinator.rivals_left = 1
    with pytest.raises(ProducerFenced):
        await take(coordinator)
    assert coordinator.markers == []


def test_records_are_numbered_round_and_round() -> None:
    claim = Claim(Writer(1, 0))
    assert [claim.take_sequence(2**31 - 3), claim.take_sequence(5), claim.take_sequence(1)] == [0, 2**31 - 3, 2]
