"""Which letters are meant."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ops.dlq.address import Address
from ops.dlq.letters import Letter


class State(StrEnum):
    """What has become of a letter."""

    OPEN = "open"
    REPLAYING = "replaying"
    """A replay was begun and not noted as done: it is under way, or was interrupted and the next one finds out."""
    REPLAYED = "replayed"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Selection:
    """Letters by address, or by what all the given filters admit. Without any it means every letter.

    ``since`` is the first moment that is admitted, ``until`` the last; both go by when a letter was written. ``after``
    is the letter behind which to begin, in the order of partitions and offsets.
    """

    addresses: frozenset[Address] = frozenset()
    causes: frozenset[str] = frozenset()
    partitions: frozenset[int] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    after: Address | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing narrows it."""
        return self == Selection()

    def admits(self, letter: Letter) -> bool:
        """Whether this letter is meant."""
        return (
            (not self.addresses or letter.address in self.addresses)
            and (not self.causes or letter.cause in self.causes)
            and (not self.partitions or letter.address.partition in self.partitions)
            and (self.since is None or letter.at >= self.since)
            and (self.until is None or letter.at <= self.until)
            and (self.after is None or letter.address > self.after)
        )
