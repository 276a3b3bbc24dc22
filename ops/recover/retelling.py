"""Publishes outcomes anew from their rows, after the loss of their topic."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from ops.recover.look import STATEMENT_TIMEOUT_S
from ops.recover.statements import UNTOLD
from schemas import headers
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, TRANSFERS_OUTCOMES
from sinks.kafka.publisher import KafkaPublisher
from sinks.kafka.records import Record
from sinks.ledger.transaction import transfer_of
from sinks.ledger.types import Transfer
from sinks.postgres.pool import Connection
from streams.outcomes import outcome_record

OUTCOMES_AT_ONCE = 5_000


async def retell(
    settings: Settings, database: Connection, told: Mapping[int, int], progress: Callable[[int], None]
) -> int:
    """Publish the outcome of each row behind the last one told, by partition; how many. Nobody can publish there
    any more who could before. Cut off, begin again.

    Raises ProducerFenced when a worker takes a partition over meanwhile, KafkaError and asyncpg's errors.
    """
    topic = settings.topic_name(TRANSFERS_OUTCOMES)
    publisher = KafkaPublisher(settings, settings.group_name("transfers"))
    await publisher.start()
    try:
        await publisher.take_over([topic, settings.topic_name(DEAD_LETTERS)], told)
        published = 0
        async for transfers in _rows(database, told):
            records = [(_again(transfer),) for transfer in transfers]
            await publisher.publish(topic, transfers[0].request_partition, records)
            published += len(records)
            progress(len(records))
        return published
    finally:
        await publisher.stop()


async def _rows(database: Connection, told: Mapping[int, int]) -> AsyncIterator[Sequence[Transfer]]:
    """The rows in lists of one partition each."""
    some: list[Transfer] = []
    # It is read from for as long as the brokers take to write.
    await database.execute("set idle_in_transaction_session_timeout = 0")
    async with database.transaction(readonly=True):
        rows = database.cursor(
            UNTOLD, list(told), list(told.values()), prefetch=OUTCOMES_AT_ONCE, timeout=STATEMENT_TIMEOUT_S
        )
        async for row in rows:
            transfer = transfer_of(row)
            if some and (len(some) == OUTCOMES_AT_ONCE or transfer.request_partition != some[0].request_partition):
                yield some
                some = []
            some.append(transfer)
    if some:
        yield some


def _again(transfer: Transfer) -> Record:
    record = outcome_record(transfer)
    return Record(record.key, record.value, [*record.headers, (headers.REPUBLISHED, b"1")])
