"""Copies all outcomes up to now into a SQLite database, each exactly once, whenever and however it is cut off.

set -a; source <(.venv/bin/hfts env); set +a
.venv/bin/python examples/consumers/consume.py outcomes.db
"""

import asyncio
import json
import os
import sqlite3
import sys

from aiokafka import AIOKafkaConsumer, TopicPartition

TOPIC = os.environ.get("TOPIC_PREFIX", "") + "transfers.outcomes"
TABLES = """
create table if not exists outcomes (transfer_id text primary key, source_wallet_id text, destination_wallet_id text,
    amount text, currency text, status text, reason text, completed_at text);
create table if not exists places (partition integer primary key, next_offset integer);
"""
ADD = """
insert into outcomes values (:transfer_id, :source_wallet_id, :destination_wallet_id, :amount, :currency, :status,
    :reason, :completed_at) on conflict do nothing
"""


async def main(database: sqlite3.Connection) -> None:
    """Go on where the database says, and note the place together with what was read up to it."""
    database.executescript(TABLES)
    async with AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"].split(","),
        isolation_level="read_committed",  # what a transaction took back was never told
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    ) as consumer:
        for number, next_offset in database.execute("select partition, next_offset from places").fetchall():
            consumer.seek(TopicPartition(TOPIC, number), next_offset)
        for partition, end in (await consumer.end_offsets(consumer.assignment())).items():
            while await consumer.position(partition) < end:
                records = (await consumer.getmany(partition, timeout_ms=200)).get(partition, [])
                with database:  # one transaction
                    database.executemany(ADD, [{"reason": None, **json.loads(record.value)} for record in records])
                    place = (partition.partition, await consumer.position(partition))
                    database.execute("insert or replace into places values (?, ?)", place)
    print(*database.execute("select status, count(*) from outcomes group by status order by status"), sep="\n")


if __name__ == "__main__":
    with sqlite3.connect(sys.argv[1]) as opened:
        asyncio.run(main(opened))
