"""The topic of outcomes beside the ledger as they really are: what is found, and what is taken for no difference."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec
import pytest
from aiokafka import AIOKafkaConsumer
from hfts_command import hfts
from plain_topics import put_records

from ops.audit.find_gaps import find_gaps
from ops.audit.versions import Hole
from ops.monitor import stream_watch
from ops.monitor.stream_check import Kind
from ops.monitor.stream_watch import StreamWatch
from ops.topic_reader import group_free_consumer, partition_counts
from schemas.settings import Settings
from schemas.topics import TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED
from sinks.directory.database import Database
from sinks.kafka.records import Record
from sinks.ledger.types import Transfer
from streams.outcomes import outcome_record

INSERT = """
insert into transfers (transfer_id, source_wallet_id, destination_wallet_id, amount, currency, status, source_balance,
    source_version, destination_balance, destination_version, requested_at, completed_at, metadata, request_partition,
    request_offset)
values ($1, $2, $3, $4::bigint * 0.0001, 'EUR', 'COMPLETED', 1, $5, 1, $6, $7, $7, '{"a": "b"}', $8, $9)
"""
PROGRESS = """
insert into stream_progress values ($1, $2, $3)
on conflict (topic, partition) do update set next_offset = excluded.next_offset
"""
ADA, BOB = str(uuid4()), str(uuid4())


class Site:
    """A ledger and a topic that are written by hand."""

    def __init__(self, settings: Settings, connection: asyncpg.Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._versions = 0

    async def commit(self, count: int, *, partition: int = 0, **changes: Any) -> list[Transfer]:
        made = []
        for _ in range(count):
            self._versions += 1
            version, now = self._versions, datetime.now(UTC)
            transfer = Transfer(
                transfer_id=str(uuid4()),
                source_wallet_id=ADA,
                destination_wallet_id=BOB,
                units=10_000,
                currency="EUR",
                reason=None,
                source_units=10_000,
                source_version=version,
                destination_units=10_000,
                destination_version=version,
                requested_at=now,
                completed_at=now,
                reference=None,
                metadata={"a": "b"},
                request_partition=partition,
                request_offset=version,
            )
            made.append(msgspec.structs.replace(transfer, **changes))
            await self._store(made[-1])
        return made

    async def _store(self, row: Transfer) -> None:
        await self._connection.execute(
            INSERT,
            row.transfer_id,
            row.source_wallet_id,
            row.destination_wallet_id,
            row.units,
            row.source_version,
            row.destination_version,
            row.completed_at,
            row.request_partition,
            row.request_offset,
        )
        await self.apply(row.request_partition, row.request_offset + 1)

    async def apply(self, partition: int, next_offset: int) -> None:
        topic = self._settings.topic_name(TRANSFERS_REQUESTED)
        await self._connection.execute(PROGRESS, topic, partition, next_offset)

    async def tell(self, *transfers: Transfer) -> None:
        for transfer in transfers:
            record: Record = outcome_record(transfer)
            topic = self._settings.topic_name(TRANSFERS_OUTCOMES)
            await put_records(self._settings, topic, transfer.request_partition, [record])


@pytest.fixture
def site(settings: Settings, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(stream_watch, "SETTLED", timedelta(0))
    return Site(settings, connection)


async def test_differences_are_found_and_nothing_else_is_taken_for_one(site: Site, settings: Settings) -> None:
    database = await Database.open(settings)
    watch = StreamWatch(settings, database)
    counts = await partition_counts(settings, [settings.topic_name(TRANSFERS_OUTCOMES)])

    async def found(consumer: AIOKafkaConsumer) -> dict[Kind, int]:
        before = watch.compared.differences.copy()
        await watch.look(consumer, counts)
        return dict(watch.compared.differences - before)

    await site.tell(*await site.commit(2))
    async with group_free_consumer(settings) as consumer:
        assert await found(consumer) == {}  # it begins at the end
        sound = await site.commit(3)
        await site.tell(*sound)
        await site.tell(*await site.commit(2, partition=1))
        assert await found(consumer) == {}
        assert (watch.compared.outcomes, watch.compared.untold_s) == (5, 0)

        silent, *later = await site.commit(3)
        assert await found(consumer) == {}
        assert watch.compared.untold_s > 0
        await site.tell(*later)
        assert await found(consumer) == {Kind.OUTCOME_MISSING: 1}
        assert watch.compared.untold_s == 0

        [row] = await site.commit(1)
        await site.tell(msgspec.structs.replace(row, units=20_000))
        assert await found(consumer) == {Kind.FIELDS_DIFFER: 1}
        await site.tell(silent)
        assert await found(consumer) == {Kind.TOLD_AGAIN: 1}

        # Told, and not in the ledger: one that was restored has not come to it again.
        lost = msgspec.structs.replace(row, transfer_id=str(uuid4()), request_offset=row.request_offset + 1)
        await site.tell(lost)
        assert await found(consumer) == {}
        await site.apply(0, lost.request_offset + 1)
        assert await found(consumer) == {Kind.ROW_MISSING: 1}
        assert await found(consumer) == {}
    await database.close()


async def test_what_is_missing_of_a_wallet_is_named(site: Site, settings: Settings) -> None:
    first, second, third, fourth = await site.commit(4)
    elsewhere = msgspec.structs.replace(second, request_partition=1)
    await site.tell(first, third, fourth, elsewhere)
    report = await find_gaps(settings, TRANSFERS_OUTCOMES)
    assert (report.complete, report.records, report.wallets) == (True, 4, 2)

    await site.tell(elsewhere, *await site.commit(1), *(await site.commit(2))[1:])
    report = await find_gaps(settings, TRANSFERS_OUTCOMES, settle_s=0)
    assert report.holes == [Hole(wallet, 6, 6) for wallet in sorted((ADA, BOB))]
    assert {(found.version, found.same) for found in report.again} == {(2, True)}
    status, told, _ = await hfts(settings, "audit", "gaps", "--json", "--topic", "audit")
    assert (status, told["complete"], told["records"]) == (0, True, 0)
