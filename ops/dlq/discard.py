"""Sets letters aside for good, or takes that back. The letters themselves stay on their topic."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ops.dlq.actions import Known, with_actions
from ops.dlq.exclusive import exclusive
from ops.dlq.reading import Progress, no_progress, read_letters
from ops.dlq.request_ends import request_ends
from ops.dlq.requests_writer import requests_writer
from ops.dlq.selection import Selection, State
from ops.dlq.settle import Settled, left_behind, settle
from ops.dlq.statements import DISCARD, UNDO_DISCARD
from ops.topic_reader import group_free_consumer
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS
from sinks.postgres.pool import Connection


@dataclass(slots=True)
class DiscardReport:
    """Letters discarded (or open again), by cause; letters selected and left alone, by state."""

    changed: Counter[str] = field(default_factory=Counter)
    left: Counter[State] = field(default_factory=Counter)
    settled: Settled = field(default_factory=Settled)


async def discard_letters(
    settings: Settings, selection: Selection, *, reason: str, actor: str, progress: Progress = no_progress
) -> DiscardReport:
    """Mark the selected letters that are open as discarded, with a reason. Raises as replay_letters does."""
    report = DiscardReport()
    topic = settings.topic_name(DEAD_LETTERS)
    async with exclusive(settings) as database, group_free_consumer(settings) as consumer:
        if await left_behind(database, settings):
            async with requests_writer(settings), request_ends(settings) as ends:
                report.settled = await settle(settings, database, consumer, ends, progress)
        async for letters in read_letters(consumer, settings, selection, progress):
            found = await with_actions(database, settings, letters)
            # What is still replaying after settling can never be decided: a person decides.
            wanted = [known for known in found if known.state in (State.OPEN, State.REPLAYING)]
            if wanted:
                partition = letters[0].address.partition
                await database.execute(DISCARD, topic, partition, reason, actor, _offsets(wanted))
            _count(report, found, wanted)
    return report


async def undo_discard(settings: Settings, selection: Selection, *, progress: Progress = no_progress) -> DiscardReport:
    """Open the selected letters that are discarded again. Raises as replay_letters does."""
    report = DiscardReport()
    async with exclusive(settings) as database, group_free_consumer(settings) as consumer:
        async for letters in read_letters(consumer, settings, selection, progress):
            found = await with_actions(database, settings, letters)
            wanted = [known for known in found if known.state is State.DISCARDED]
            await _reopen(database, settings, wanted)
            _count(report, found, wanted)
    return report


async def _reopen(database: Connection, settings: Settings, wanted: Sequence[Known]) -> None:
    if wanted:
        topic, partition = settings.topic_name(DEAD_LETTERS), wanted[0].letter.address.partition
        await database.execute(UNDO_DISCARD, topic, partition, _offsets(wanted))


def _offsets(wanted: Sequence[Known]) -> list[int]:
    return [known.letter.address.offset for known in wanted]


def _count(report: DiscardReport, found: Sequence[Known], wanted: Sequence[Known]) -> None:
    chosen = {known.letter.address for known in wanted}
    for known in found:
        if known.letter.address in chosen:
            report.changed[known.letter.cause] += 1
        else:
            report.left[known.state] += 1
