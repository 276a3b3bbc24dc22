"""What was done about letters, as the database knows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ops.dlq.letters import Letter
from ops.dlq.selection import State
from ops.dlq.statements import ACTIONS_BETWEEN
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS
from sinks.postgres.pool import Connection


@dataclass(frozen=True, slots=True)
class Action:
    """What was done about one letter, and by whom. A discard has a reason, a replay the place of its request."""

    state: State
    actor: str
    began_at: datetime
    done_at: datetime | None
    reason: str | None
    attempt: UUID | None
    request_partition: int | None
    request_offset: int | None


@dataclass(frozen=True, slots=True)
class Known:
    """A letter and what was done about it."""

    letter: Letter
    action: Action | None

    @property
    def state(self) -> State:
        """What has become of it."""
        return State.OPEN if self.action is None else self.action.state


async def with_actions(database: Connection, settings: Settings, letters: Sequence[Letter]) -> list[Known]:
    """Letters of one partition, in order, each with what was done about it."""
    if not letters:
        return []
    first, last = letters[0].address, letters[-1].address
    topic = settings.topic_name(DEAD_LETTERS)
    rows = await database.fetch(ACTIONS_BETWEEN, topic, first.partition, first.offset, last.offset)
    actions = {
        row["offset"]: Action(
            _state(row["action"], row["state"]),
            row["actor"],
            row["began_at"],
            row["done_at"],
            row["reason"],
            row["attempt"],
            row["request_partition"],
            row["request_offset"],
        )
        for row in rows
    }
    return [Known(letter, actions.get(letter.address.offset)) for letter in letters]


def _state(action: str, state: str) -> State:
    if action == "discard":
        return State.DISCARDED
    return State.REPLAYED if state == "done" else State.REPLAYING
