"""An agent's work on all that waits on its topic, in this process and without Faust."""

import asyncio
from types import SimpleNamespace

from ops.topic_reader import group_free_consumer, partition_counts, read_spans, topic_spans
from schemas.settings import Settings
from sinks.kafka.publisher import KafkaPublisher
from sinks.kafka.records import Consumed
from streams.app import BATCH_BYTES_MAX, BATCH_RECORDS_MAX, STAGES
from streams.line import Line

ACK_TIMEOUT_S = 60.0


class Event:
    """A record batch as the agent gets it from Faust."""

    def __init__(self, partition: int, records: list[Consumed]) -> None:
        self.value = records
        self.message = SimpleNamespace(partition=partition)
        self.acknowledged = asyncio.Event()

    def ack(self) -> bool:
        self.acknowledged.set()
        return True


async def run_agent(settings: Settings, agent: str) -> None:
    """Work off what stands on its input topic now, one batch a partition, and wait until all is acknowledged."""
    publisher = KafkaPublisher(settings, f"{settings.topic_prefix}hfts-{agent}")
    stage = STAGES[agent](settings, publisher)
    await publisher.start()
    await stage.start()
    line = Line(stage, publisher, records_max=BATCH_RECORDS_MAX, bytes_max=BATCH_BYTES_MAX)
    running = asyncio.create_task(line.run())
    try:
        await stage.resume_offsets(range(settings.topic_partitions))
        counts = await partition_counts(settings, [stage.input_topic])
        async with group_free_consumer(settings) as consumer:
            spans = await topic_spans(consumer, counts)
            events = [Event(tp.partition, records) async for tp, records in read_spans(consumer, spans)]
        async with asyncio.timeout(ACK_TIMEOUT_S):
            for event in events:
                await line.put(event)
            for event in events:
                await event.acknowledged.wait()
    finally:
        running.cancel()
        await asyncio.wait({running})
        await stage.stop()
        await publisher.stop()
