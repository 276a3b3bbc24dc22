"""The steps of a replay, so that a test can stop one between any two."""

from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    """What has just been done. Listed in the order in which it is done."""

    LOCKED = "locked"
    """Nobody else may act on letters."""
    FENCED = "fenced"
    """Whoever replayed before can publish no more."""
    SETTLED = "settled"
    """What was left behind is known as replayed or is open again."""
    INTENDED = "intended"
    """The chunk's rows are committed."""
    SENT = "sent"
    """The brokers have its records, in a transaction that is still open."""
    PUBLISHED = "published"
    """Its transaction is committed."""
    NOTED = "noted"
    """Its rows are done."""


Reached = Callable[[Step], None]


def not_watched(_step: Step) -> None:
    """Tells nobody."""
