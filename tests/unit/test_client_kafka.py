import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaError, MessageSizeTooLargeError, OutOfOrderSequenceNumber
from scripted_api import FIELDS, SOURCE

from hfts_client import UnconfirmedError, kafka
from hfts_client.kafka import KafkaSubmitter, hold_wallet_id
from schemas.transfers import decode_request


class Producer:
    """Stands in for aiokafka's. Does, in turn, what ``script`` says."""

    script: ClassVar[list[KafkaError | None]] = []
    topics: ClassVar[dict[str, set[int]]] = {"transfers.requested": {0, 1}}
    made: ClassVar[list["Producer"]] = []

    def __init__(self, **options: Any) -> None:
        assert (options["acks"], options["enable_idempotence"]) == ("all", True)
        self.sent: list[tuple[Any, ...]] = []
        self.is_stopped = False
        self.client = self
        self.made.append(self)

    async def start(self) -> None:
        await asyncio.sleep(0)

    async def stop(self) -> None:
        self.is_stopped = True

    async def fetch_all_metadata(self) -> Any:
        return SimpleNamespace(partitions_for_topic=self.topics.get)

    async def send_and_wait(self, topic: str, value: bytes, key: bytes, *, headers: list[Any]) -> Any:
        self.sent.append((topic, value, key, headers))
        await asyncio.sleep(0)
        failure = self.script.pop(0) if self.script else None
        if failure is not None:
            raise failure
        return SimpleNamespace(partition=1, offset=7)


@pytest.fixture(autouse=True)
def _producer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "AIOKafkaProducer", Producer)
    monkeypatch.setattr(kafka, "PAUSE_S", 0)
    monkeypatch.setattr(Producer, "made", [])
    monkeypatch.setattr(Producer, "script", [])


async def test_a_request_under_the_key_of_the_wallet_that_pays() -> None:
    async with KafkaSubmitter("kafka:9092") as submitter:
        found = await submitter.submit(**FIELDS, reference="rent", metadata={"order": "1"})
    assert (found.topic, found.partition, found.offset) == ("transfers.requested", 1, 7)
    (producer,) = Producer.made
    ((topic, value, key, headers),) = producer.sent
    request, units = decode_request(value)
    assert (topic, key, headers) == ("transfers.requested", str(SOURCE).encode(), [])
    assert (request.transfer_id, units) == (str(found.transfer_id), 125_000)
    assert (request.reference, request.metadata) == ("rent", {"order": "1"})
    assert producer.is_stopped


async def test_a_hold_and_a_draw_on_it() -> None:
    held, end = hold_wallet_id(str(SOURCE)), datetime(2030, 1, 31, 12, tzinfo=UTC)
    async with KafkaSubmitter("kafka:9092") as submitter:
        hold = await submitter.submit(**{**FIELDS, "destination_wallet_id": held}, kind="hold", expires_at=end)
        drawn: Any = {**FIELDS, "source_wallet_id": held}
        await submitter.submit(**drawn, kind="capture", parent_id=hold.transfer_id)
        with pytest.raises(ValueError, match="hold wallet of its source"):
            await submitter.submit(**FIELDS, kind="hold")
        with pytest.raises(ValueError, match="zone"):
            await submitter.submit(**FIELDS, kind="hold", expires_at=end.replace(tzinfo=None))
    [(_, first, _, _), (_, second, key, _)] = Producer.made[0].sent
    request, _ = decode_request(first)
    assert (request.kind, request.expires_at) == ("hold", end)
    request, _ = decode_request(second)
    assert (request.kind, request.parent_id, key) == ("capture", str(hold.transfer_id), held.encode())


async def test_one_connection_for_many() -> None:
    async with KafkaSubmitter("kafka:9092") as submitter:
        await asyncio.gather(*(submitter.submit(**FIELDS) for _ in range(10)))
    assert [len(producer.sent) for producer in Producer.made] == [10]


@pytest.mark.parametrize("failure", [KafkaConnectionError(), OutOfOrderSequenceNumber()])
async def test_sent_again_under_the_same_id_by_another_producer(failure: KafkaError) -> None:
    Producer.script[:] = [failure]
    async with KafkaSubmitter("kafka:9092") as submitter:
        await submitter.submit(**FIELDS)
    assert [producer.is_stopped for producer in Producer.made] == [True, True]
    assert Producer.made[0].sent == Producer.made[1].sent


async def test_what_kafka_will_not_take_is_told_at_once() -> None:
    Producer.script[:] = [MessageSizeTooLargeError()]
    async with KafkaSubmitter("kafka:9092") as submitter:
        with pytest.raises(UnconfirmedError):
            await submitter.submit(**FIELDS)
        with pytest.raises(UnconfirmedError, match="no topic elsewhere"):
            await KafkaSubmitter("kafka:9092", topic="elsewhere").submit(**FIELDS)


async def test_no_answer_in_time_names_the_id_to_submit_again() -> None:
    Producer.script[:] = [KafkaConnectionError() for _ in range(1_000_000)]
    transfer_id = uuid4()
    async with KafkaSubmitter("kafka:9092", timeout_s=0.01) as submitter:
        with pytest.raises(UnconfirmedError, match="no answer") as raised:
            await submitter.submit(**FIELDS, transfer_id=transfer_id)
    assert raised.value.transfer_id == transfer_id


@pytest.mark.parametrize(
    "changes", [{"amount": "0"}, {"currency": "XXY"}, {"reference": "x" * 201}, {"source_wallet_id": "mine"}]
)
async def test_what_the_workers_would_not_take_is_not_sent(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"amount|currency|reference|UUID"):
        await KafkaSubmitter("kafka:9092").submit(**{**FIELDS, **changes})
    assert Producer.made == []


async def test_a_name_that_is_misspelt_does_not_go_unnoticed() -> None:
    """Such as that of the id which makes it safe to submit again."""
    misspelt: Any = {"transfer_di": uuid4()}
    async with KafkaSubmitter("kafka:9092") as submitter:
        with pytest.raises(TypeError, match="transfer_di"):
            await submitter.submit(**FIELDS, **misspelt)
    assert not Producer.made
