"""Letters with what was done about them. Writes nothing."""

from collections.abc import AsyncGenerator

from ops.dlq.actions import Known, with_actions
from ops.dlq.address import Address
from ops.dlq.reading import Progress, no_progress, read_letters
from ops.dlq.selection import Selection, State
from ops.topic_reader import group_free_consumer
from schemas.settings import Settings
from sinks.postgres.pool import connect

STILL_OPEN = frozenset({State.OPEN, State.REPLAYING})
ANY_STATE = frozenset(State)


async def list_letters(
    settings: Settings,
    selection: Selection,
    states: frozenset[State] = STILL_OPEN,
    progress: Progress = no_progress,
) -> AsyncGenerator[list[Known], None]:
    """The selected letters in these states, in lists of one partition, in the order of partitions and offsets.

    Holds at most one poll's records. Raises DeadLetterError, TopicReadError, KafkaError, asyncpg.PostgresError and
    OSError.
    """
    database = await connect(settings)
    try:
        async with group_free_consumer(settings) as consumer:
            async for letters in read_letters(consumer, settings, selection, progress):
                found = [known for known in await with_actions(database, settings, letters) if known.state in states]
                if found:
                    yield found
    finally:
        await database.close()


async def find_letter(settings: Settings, address: Address) -> Known:
    """The letter at an address. Raises DeadLetterError where there is none, and otherwise as list_letters does."""
    found: list[Known] = []
    async for letters in list_letters(settings, Selection(addresses=frozenset({address})), ANY_STATE):
        found += letters
    [known] = found
    return known
