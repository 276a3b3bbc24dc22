"""What a check comes to."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Whether a thing is as it should be."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen; where it is not as it should be also why that matters, what to do, and the command that does it.

    Of what was not checked ``seen`` is the reason.
    """

    verdict: Verdict
    seen: str
    why: str = ""
    remedy: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """In place of a fact that could not be had."""

    because: str


def ok(seen: str) -> Finding:
    """As it should be."""
    return Finding(Verdict.OK, seen)


def warning(seen: str, why: str, remedy: str, command: str = "") -> Finding:
    """It works like this, but somebody should look at it."""
    return Finding(Verdict.WARNING, seen, why, remedy, command)


def problem(seen: str, why: str, remedy: str, command: str = "") -> Finding:
    """It does not work like this, or a promise does not hold."""
    return Finding(Verdict.PROBLEM, seen, why, remedy, command)


def not_checked(because: str) -> Finding:
    """Nobody knows."""
    return Finding(Verdict.NOT_CHECKED, because)
