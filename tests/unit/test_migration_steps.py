"""Which migrations may be applied, and which schema a process can work on."""

import pytest

from sinks.errors import MigrationError
from sinks.postgres.application_name import application_name, schema_version_of
from sinks.postgres.migration_files import Migration, Step
from sinks.postgres.migration_steps import Applied, MigrationStatus, due, schema_fault, status_of

STEPS = {"+": Step.PRE, "-": Step.POST}


def migrations(steps: str) -> list[Migration]:
    """One for each sign: ``+`` adds (pre), ``-`` takes away (post)."""
    return [Migration(number, sign, f"select {number}", "", STEPS[sign]) for number, sign in enumerate(steps, 1)]


def status(known: str, applied: str) -> list[MigrationStatus]:
    rows = [Applied(each.version, each.name, each.checksum, each.step) for each in migrations(applied)]
    return status_of(migrations(known), rows)


def numbers(known: str, applied: str, step: Step | None) -> list[int]:
    return [each.version for each in due(migrations(known), status(known, applied), step)]


@pytest.mark.parametrize(
    ("known", "applied", "pre", "post", "everything"),
    [
        ("++", "++", [], [], []),
        ("++", "+", [2], [], [2]),
        ("++-", "+", [2], None, [2, 3]),
        ("++-", "++", [], [3], [3]),
        ("++--", "++", [], [3, 4], [3, 4]),
        ("+-+", "+", None, [2], [2, 3]),
        ("+-+-", "+", None, [2], [2, 3, 4]),
        ("+-+-", "+-", [3], None, [3, 4]),
        ("+-+-", "+-+", [], [4], [4]),
        ("++-+", "+", None, None, [2, 3, 4]),
        ("+-+", "", [1, 2, 3], [1, 2, 3], [1, 2, 3]),
    ],
)
def test_what_each_step_applies(
    known: str, applied: str, pre: list[int] | None, post: list[int] | None, everything: list[int]
) -> None:
    """None stands for a refusal."""
    assert numbers(known, applied, None) == everything
    for step, expected in ((Step.PRE, pre), (Step.POST, post)):
        if expected is None:
            with pytest.raises(MigrationError, match=r"comes before .* run `hfts migrate up --step"):
                numbers(known, applied, step)
        else:
            assert numbers(known, applied, step) == expected


@pytest.mark.parametrize("step", [None, *Step])
def test_an_older_program_applies_nothing(step: Step | None) -> None:
    with pytest.raises(MigrationError, match="newer than this program: install the version that migrated it"):
        numbers("+", "++", step)


@pytest.mark.parametrize(
    ("known", "applied", "fault"),
    [
        ("++", "++", None),
        ("++-", "++", None),
        ("++-", "++-", None),
        ("+", "+++", None),
        ("+-", "+", None),
        ("++", "+", "migrations are missing: 0002_+: run hfts migrate"),
        ("+-+", "+", "migrations are missing: 0003_+: run hfts migrate"),
        ("++", "", "migrations are missing: 0001_+, 0002_+: run hfts migrate"),
        ("+", "++-", "has dropped what it needs (0003_-): install the version that migrated it"),
    ],
)
def test_which_schema_a_process_can_work_on(known: str, applied: str, fault: str | None) -> None:
    found = schema_fault(status(known, applied))
    assert (found is None) if fault is None else (fault in (found or ""))


def test_a_migration_that_was_changed_is_noticed() -> None:
    with pytest.raises(MigrationError, match="0001_x was changed after it ran: restore its file"):
        status_of(migrations("+"), [Applied(1, "x", "another", Step.PRE)])


def test_a_newer_database_tells_of_what_is_not_known_here() -> None:
    assert [(each.title, each.step, each.applied, each.known) for each in status("+", "+-")] == [
        ("0001_+", "pre", True, True),
        ("0002_-", "post", True, False),
    ]


def test_a_connection_says_how_new_its_program_is() -> None:
    assert schema_version_of(application_name(12)) == 12
    assert [schema_version_of(name) for name in ("hfts", "psql", "hfts x", "", None)] == [0, None, None, None, None]
