"""The files of the migrations: how they are named, and what those of the step pre must not do."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from sinks.errors import MigrationError
from sinks.postgres.migrate import known_migrations
from sinks.postgres.migration_files import Migration, Step, read_migrations, statements_of

Write = Callable[..., list[Migration]]

# Those that were applied before there were steps: nobody ran then.
UNBOUND = 4

# What the version before may still need, or what holds it up for as long as the table is large (PostgreSQL manual,
# "ALTER TABLE", "CREATE INDEX").
NOT_BEFORE_A_RELEASE = {
    r"\bdrop (table|view|column|type|function|trigger|schema)\b": "in use before: make it a post migration",
    r"\bdrop constraint (\w+)\b(?!, add constraint \1\b)": "in use before: replace it at once, by a wider one",
    r"\brename\b": "the version before knows the old name: add, copy, and drop in a post migration",
    r"\balter column \w+ (set data )?type\b": "it rewrites the table under a lock: add a column",
    r"\bset not null\b": "the version before may write null: do it in a post migration",
    r"\b(truncate|lock table)\b": "it stops the version before",
    r"\b(create|drop) (unique )?index (?!concurrently)": "it stops writers: say concurrently, without a transaction",
}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Read a folder with files of these names, each with its name as a comment."""

    def read(*names: str) -> list[Migration]:
        for name in names:
            (tmp_path / name).write_text(f"-- {name}")
        return read_migrations(tmp_path)

    return read


def test_the_name_says_number_and_step(write: Write) -> None:
    found = write("0001_a.up.sql", "0001_a.down.sql", "0002_b_c.post.up.sql", "0002_b_c.post.down.sql")
    assert [(each.title, each.step) for each in found] == [("0001_a", Step.PRE), ("0002_b_c", Step.POST)]
    assert [each.up_sql for each in found] == ["-- 0001_a.up.sql", "-- 0002_b_c.post.up.sql"]
    assert [each.down_sql for each in found] == ["-- 0001_a.down.sql", "-- 0002_b_c.post.down.sql"]
    assert all(each.is_transaction for each in found)


def test_the_first_line_may_do_without_a_transaction() -> None:
    alone = Migration(1, "a", "-- no transaction\ncreate index concurrently i on t (c)", "")
    assert not alone.is_transaction


def test_statements_without_a_transaction_run_one_by_one() -> None:
    sql = "-- no transaction\n-- Why; and how.\ncreate index a on t (c)\n    where c = ';x';\n\n-- Then\n"
    sql += "create index b;\n--\n"
    first, second = statements_of(sql)
    assert first.endswith("create index a on t (c)\n    where c = ';x'")
    assert second == "-- Then\ncreate index b"


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (["0001_a.up.sql"], "needs a name like"),
        (["0001_a.post.up.sql", "0001_a.down.sql"], "needs a name like"),
        (["1_a.up.sql", "1_a.down.sql"], "needs a name like"),
        (["0001_a.later.up.sql", "0001_a.later.down.sql"], "needs a name like"),
        (["0002_a.up.sql", "0002_a.down.sql"], "without a gap"),
    ],
)
def test_other_files_are_refused(write: Write, names: list[str], fault: str) -> None:
    with pytest.raises(MigrationError, match=fault):
        write(*names)


def faults_of(sql: str) -> list[str]:
    """What a migration before a release must not do, of what this does to tables that it has not made itself."""
    sql = re.sub(r"\s+", " ", re.sub(r"--.*", "", sql)).lower()
    made = re.findall(r"create (?:unlogged )?table (?:if not exists )?(\w+)", sql)
    old = [one for one in sql.split(";") if not any(re.search(rf"\bon {table}\b", one) for table in made)]
    return [why for pattern, why in NOT_BEFORE_A_RELEASE.items() if any(re.search(pattern, one) for one in old)]


def test_what_comes_before_a_release_leaves_the_version_before_alone() -> None:
    before = [each for each in known_migrations()[UNBOUND:] if each.step is Step.PRE]
    assert {each.title: faults for each in before if (faults := faults_of(each.up_sql))} == {}


def test_what_runs_without_a_transaction_can_begin_anew() -> None:
    alone = [each for each in known_migrations() if not each.is_transaction]
    assert [each.title for each in alone if not re.search(r"\bif (not )?exists\b", each.down_sql)] == []


@pytest.mark.parametrize(
    "sql", ["drop table wallets", "alter table wallets rename to purses", "create index i on transfers (c)"]
)
def test_the_rules_find_what_they_are_for(sql: str) -> None:
    assert faults_of(sql)


@pytest.mark.parametrize(
    "sql", ["create table t (c int); create index i on t (c)", "create index concurrently i on transfers (c)"]
)
def test_the_rules_let_pass_what_harms_nobody(sql: str) -> None:
    assert not faults_of(sql)
