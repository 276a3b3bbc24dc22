"""Which migrations may be applied, and which schema a process can work on. Pure: files and rows in, decisions out.

What has been applied is always the beginning of the numbered list: no step skips a migration.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from sinks.errors import MigrationError
from sinks.postgres.migration_files import Migration, Step

_NEWER = "the database is newer than this program"


@dataclass(frozen=True, slots=True)
class Applied:
    """A row of ``schema_migrations``."""

    version: int
    name: str
    checksum: str
    step: Step


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """A migration, whether the database has it, and whether this program knows it."""

    version: int
    name: str
    step: Step
    applied: bool
    known: bool = True

    @property
    def title(self) -> str:
        """Number and name, as its file has them."""
        return f"{self.version:04d}_{self.name}"


def status_of(known: Sequence[Migration], applied: Sequence[Applied]) -> list[MigrationStatus]:
    """Every migration that the program or the database knows, in order.

    Raises MigrationError when one was changed after it had run.
    """
    for row, migration in zip(applied, known, strict=False):
        if (row.version, row.checksum) != (migration.version, migration.checksum):
            raise MigrationError(f"migration {row.version:04d}_{row.name} was changed after it ran: restore its file")
    return [
        *(MigrationStatus(each.version, each.name, each.step, applied=each.version <= len(applied)) for each in known),
        *(MigrationStatus(row.version, row.name, row.step, applied=True, known=False) for row in applied[len(known) :]),
    ]


def schema_fault(status: Sequence[MigrationStatus]) -> str | None:
    """Why a process must not work on this database yet, or not any more; None when it may.

    It needs every ``pre`` migration it knows. It can do without the ``post`` ones, and it gets along with ``pre`` ones
    of a later version; a later ``post`` one has taken away what it needs.
    """
    missing = [each.title for each in status if each.step is Step.PRE and not each.applied]
    if missing:
        return f"migrations are missing: {', '.join(missing)}: run hfts migrate"
    gone = [each.title for each in status if each.step is Step.POST and not each.known]
    if gone:
        return f"{_NEWER}, and has dropped what it needs ({', '.join(gone)}): install the version that migrated it"
    return None


def require_known(status: Sequence[MigrationStatus]) -> None:
    """Raise MigrationError when the database has migrations that this program does not know."""
    if not all(each.known for each in status):
        raise MigrationError(f"{_NEWER}: install the version that migrated it")


def due(known: Sequence[Migration], status: Sequence[MigrationStatus], step: Step | None) -> list[Migration]:
    """The migrations to apply now, in order: all that are missing, or of one step those that nothing stands before.

    On an empty database that is all of them, whatever the step: nobody works with it yet. Raises MigrationError when
    the database is newer, or when one of the step is missing that may not be applied before another of the other step.
    """
    require_known(status)
    missing = [migration for migration, each in zip(known, status, strict=True) if not each.applied]
    if step is None or len(missing) == len(known):
        return missing
    ahead = list(takewhile(lambda migration: migration.step is step, missing))
    behind = [migration for migration in missing[len(ahead) :] if migration.step is step]
    if behind and step is Step.PRE:
        raise MigrationError(_earlier_release(missing[len(ahead)], behind[0]))
    if behind and not ahead:
        raise MigrationError(_not_begun(missing[0], behind[0]))
    return ahead


def _earlier_release(post: Migration, pre: Migration) -> str:
    return (
        f"{post.title} comes before {pre.title} and is of an earlier release, whose step post is missing: when every "
        "process is of that release, run `hfts migrate up --step post` and this again; or stop all processes and run "
        "`hfts migrate up`"
    )


def _not_begun(pre: Migration, post: Migration) -> str:
    return (
        f"{pre.title} comes before {post.title} and is missing: run `hfts migrate up --step pre`, replace all "
        "processes, and run this again"
    )
