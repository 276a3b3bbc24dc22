"""The invariants as SQL: files of named statements, each with a title and a count of what it checks.

A statement yields rows ``(at text, fault text, pending boolean)``: where, what is wrong, and whether it is merely
still to come.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent / "sql"
_STATEMENT = re.compile(
    r"^-- name: (?P<name>\w+)\n-- title: (?P<title>.+)\n-- checked: (?P<checked>.+)\n(?P<sql>(?:.*\n)*?.*;)$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Invariant:
    """One statement: ``checked_sql`` counts what it looks at, ``faults_sql`` finds what breaks it."""

    name: str
    title: str
    checked_sql: str
    faults_sql: str


def parse_invariants(text: str) -> list[Invariant]:
    """The statements of one file, in order."""
    return [
        Invariant(found["name"], found["title"], found["checked"], found["sql"].rstrip(";"))
        for found in _STATEMENT.finditer(text)
    ]


def known_invariants(folder: Path = _FOLDER) -> list[Invariant]:
    """All invariants, in order of file and place."""
    return [
        invariant
        for path in sorted(folder.glob("invariants_*.sql"))
        for invariant in parse_invariants(path.read_text())
    ]


def facts_schema(folder: Path = _FOLDER) -> str:
    """The statements that make the temporary tables."""
    return (folder / "facts.sql").read_text()
