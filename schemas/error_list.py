"""All codes in one list, by code and by the place where it is met."""

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from schemas.codes import CliCode, Code, DeadLetterCause, FailureReason, ProblemCode

Where: TypeAlias = Literal["http", "transfer", "dead_letter", "cli"]

PLACES: dict[Where, type[Code]] = {
    "http": ProblemCode,
    "transfer": FailureReason,
    "dead_letter": DeadLetterCause,
    "cli": CliCode,
}
"""The ``code`` of a problem, the ``reason`` of a FAILED transfer, the ``cause`` of a dead letter, the command line."""


class Occurrence(NamedTuple):
    """A code where it is met."""

    where: Where
    code: Code


def occurrences() -> Iterator[Occurrence]:
    """All of them, in the order of codes."""
    found = [Occurrence(where, code) for where, codes in PLACES.items() for code in codes]
    return iter(sorted(found, key=lambda each: (each.code, list(PLACES).index(each.where))))


def occurrences_of(code: str) -> list[Occurrence]:
    """Where this code is met; nowhere if it is none of ours."""
    return [each for each in occurrences() if each.code == code]
