"""One page of letters, at a bounded cost: for a screen that asks again and again."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from ops.dlq.actions import Known, with_actions
from ops.dlq.address import Address
from ops.dlq.reading import read_letters
from ops.dlq.selection import Selection, State
from ops.topic_reader import group_free_consumer
from schemas.settings import Settings
from sinks.postgres.pool import connect

SCANNED_MAX = 20_000
"""Letters looked at for one page: two seconds' work where few of them fit."""


@dataclass(frozen=True, slots=True)
class Page:
    """Letters that fit, and behind which letter to go on; None when all have been looked at."""

    found: Sequence[Known]
    go_on_after: Address | None


async def page_of_letters(
    settings: Settings,
    selection: Selection,
    states: frozenset[State],
    *,
    count_max: int,
    transfer_id: str | None = None,
    scanned_max: int = SCANNED_MAX,
) -> Page:
    """The first letters that fit, in the order of partitions and offsets. A page may hold fewer and not be the last.

    ``transfer_id`` is that of the request, where it can be read. Holds one poll's letters beside those of the page.
    Raises as list_letters does.
    """
    found: list[Known] = []
    scanned = 0
    last: Address | None = None
    looked_at = replace(selection, causes=frozenset())
    database = await connect(settings)
    try:
        async with (
            group_free_consumer(settings) as consumer,
            aclosing(read_letters(consumer, settings, looked_at)) as reading,
        ):
            async for letters in reading:
                for known in await with_actions(database, settings, letters):
                    letter = known.letter
                    if known.state in states and selection.admits(letter) and transfer_id in (None, letter.transfer_id):
                        if len(found) == count_max:
                            return Page(found, last)
                        found.append(known)
                    last = letter.address
                scanned += len(letters)
                if scanned >= scanned_max:
                    return Page(found, last)
    finally:
        await database.close()
    return Page(found, None)
