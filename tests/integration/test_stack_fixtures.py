import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from schemas.settings import Settings
from schemas.topics import ALL_TOPICS, AUDIT
from sinks.kafka.options import client_options
from sinks.kafka.topics import ensure_topics


async def test_each_test_has_a_migrated_database_of_its_own(settings: Settings, connection: asyncpg.Connection) -> None:
    assert await connection.fetchval("select current_database()") == settings.postgres_db
    assert await connection.fetchval("select count(*) from transfers") == 0
    assert await connection.fetchval("show fsync") == "on"
    assert await connection.fetchval("show synchronous_commit") == "on"


async def test_each_test_has_topics_of_its_own(settings: Settings) -> None:
    assert await ensure_topics(settings) == []
    topic = settings.topic_name(AUDIT)
    async with AIOKafkaProducer(**client_options(settings), acks="all") as producer:
        sent = await producer.send_and_wait(topic, b"value", key=b"key", partition=2)
    assert sent.offset == 0
    async with AIOKafkaConsumer(topic, **client_options(settings), auto_offset_reset="earliest") as consumer:
        record = await consumer.getone()
    assert (record.partition, record.value) == (2, b"value")
    assert len({settings.topic_name(topic) for topic in ALL_TOPICS}) == len(ALL_TOPICS)


async def test_the_pool_works(pool: asyncpg.Pool) -> None:
    assert await pool.fetchval("select 1") == 1
