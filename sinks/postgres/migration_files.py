"""The numbered migrations as files: what each does, and in which step of a release it is due."""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sinks.errors import MigrationError

NO_TRANSACTION = "-- no transaction"
"""The first line of a migration whose statements PostgreSQL takes only outside of a transaction, such as ``create index
concurrently``. They are run one by one; each ends with a semicolon at the end of its line."""

_STATEMENT_END = re.compile(r";[ \t]*(?:\n|$)")
_FILE_NAME = re.compile(r"(\d{4})_(\w+)(\.post)?\.up\.sql")


class Step(StrEnum):
    """When a migration is applied: see docs/deploying.md."""

    PRE = "pre"
    """Before the processes of a release are started: it adds, and leaves whole what the version before works with."""

    POST = "post"
    """After the last process of the version before has ended: it takes away what nobody uses any more."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered change of the schema: the SQL that makes it and the SQL that takes it back."""

    version: int
    name: str
    up_sql: str
    down_sql: str
    step: Step = Step.PRE

    @property
    def title(self) -> str:
        """Number and name, as its file has them."""
        return f"{self.version:04d}_{self.name}"

    @property
    def checksum(self) -> str:
        """SHA-256 of the upward SQL, kept with the database to notice edits of what has run."""
        return hashlib.sha256(self.up_sql.encode()).hexdigest()

    @property
    def is_transaction(self) -> bool:
        """Whether it is applied in a transaction; otherwise it is safe to begin anew."""
        return not self.up_sql.startswith(NO_TRANSACTION)


def statements_of(sql: str) -> list[str]:
    """The statements of a migration without a transaction, in order."""
    parts = (part.strip() for part in _STATEMENT_END.split(sql))
    return [part for part in parts if any(line and not line.startswith("--") for line in part.splitlines())]


def read_migrations(folder: Path) -> list[Migration]:
    """All migrations in order of version, ``NNNN_name.up.sql`` of the step pre and ``NNNN_name.post.up.sql`` of post.

    Raises MigrationError for a gap or a missing downward file.
    """
    found = []
    for path in sorted(folder.glob("*.up.sql")):
        match = _FILE_NAME.fullmatch(path.name)
        down = path.with_name(path.name.replace(".up.sql", ".down.sql"))
        if match is None or not down.exists():
            raise MigrationError(
                f"{path.name} needs a name like 0001_name.up.sql or 0001_name.post.up.sql, and beside it one that ends "
                "in .down.sql"
            )
        step = Step.POST if match[3] else Step.PRE
        found.append(Migration(int(match[1]), match[2], path.read_text(), down.read_text(), step))
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise MigrationError("migrations must be numbered 0001, 0002, … without a gap")
    return found
