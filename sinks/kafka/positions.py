"""Where a record stands."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """A partition of the topic that is spoken of, and the offset within it."""

    partition: int
    offset: int
