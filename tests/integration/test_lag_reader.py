import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from hfts_command import hfts
from plain_topics import put_records

from ops.lag.reader import group_name, lag_reader
from schemas.settings import Settings
from schemas.topics import TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED
from sinks.kafka.options import client_options
from sinks.kafka.records import Record


async def fill(settings: Settings, connection: asyncpg.Connection) -> None:
    """Five requests on partition 1, three applied, four committed; two outcomes, of which audit has committed one."""
    requests, outcomes = settings.topic_name(TRANSFERS_REQUESTED), settings.topic_name(TRANSFERS_OUTCOMES)
    await put_records(settings, requests, 1, [Record(b"k", b"v", [])] * 5)
    await put_records(settings, outcomes, 1, [Record(b"k", b"v", [])] * 2)
    await connection.execute("insert into stream_progress (topic, partition, next_offset) values ($1, 1, 3)", requests)
    for agent, topic, offset in (("transfers", requests, 4), ("audit", outcomes, 1)):
        consumer = AIOKafkaConsumer(
            **client_options(settings), group_id=group_name(settings, agent), enable_auto_commit=False
        )
        await consumer.start()
        consumer.assign([TopicPartition(topic, 1)])
        await consumer.commit({TopicPartition(topic, 1): offset})
        await consumer.stop()


async def test_the_lag_is_read_from_kafka_and_postgresql(settings: Settings, connection: asyncpg.Connection) -> None:
    await fill(settings, connection)
    async with lag_reader(settings) as reader:
        report = await reader.read()
    prefix = settings.topic_prefix
    assert report.totals == {
        f"{prefix}hfts-transfers": 2,
        f"{prefix}hfts-notifications": 2,
        f"{prefix}hfts-audit": 1,
        f"{prefix}hfts-deliveries": 0,
    }
    transfers = report.of_group(f"{prefix}hfts-transfers")
    assert len(transfers) == settings.topic_partitions
    assert (transfers[1].end, transfers[1].committed, transfers[1].applied) == (5, 4, 3)
    assert (transfers[0].end, transfers[0].committed, transfers[0].applied) == (0, None, None)


async def test_the_command_prints_it_as_json(settings: Settings, connection: asyncpg.Connection) -> None:
    await fill(settings, connection)
    status, printed, errors = await hfts(settings, "lag", "--json")
    assert (status, errors) == (0, "")
    assert printed["totals"][f"{settings.topic_prefix}hfts-transfers"] == 2


async def test_a_missing_topic_is_one_clear_line(database_settings: Settings) -> None:
    status, _, errors = await hfts(database_settings, "lag")
    assert status == 1
    assert errors.count("\n") == 1
    assert "make the topics with `hfts topics`" in errors
