"""Records put on a topic as any producer would, without taking its partitions over."""

from collections.abc import Iterable

from aiokafka import AIOKafkaProducer

from schemas.settings import Settings
from sinks.kafka.options import client_options
from sinks.kafka.records import Record


async def put_records(settings: Settings, topic: str, partition: int, records: Iterable[Record]) -> None:
    """Put records on a partition of the topic of this name."""
    async with AIOKafkaProducer(**client_options(settings), acks="all", enable_idempotence=True) as producer:
        sent = [
            await producer.send(topic, record.value, record.key, partition=partition, headers=record.headers)
            for record in records
        ]
        for confirmed in sent:
            await confirmed
