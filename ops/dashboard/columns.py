"""Long lists of numbers as short text: offsets outgrow 2^53, which JSON readers round, and 500 partitions have many."""

from collections.abc import Iterable

NOTHING = "-"


def column(numbers: Iterable[int | None]) -> str:
    """The numbers in decimal with a blank between two; a hyphen stands for none."""
    return " ".join([NOTHING if number is None else str(number) for number in numbers])
