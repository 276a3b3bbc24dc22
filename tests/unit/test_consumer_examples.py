"""The examples in SQL and for Kafka Connect: their columns are the members of the messages, and amounts stay exact."""

import json
import re
from pathlib import Path

import pytest

from schemas.message_schemas import OUTCOME, RATE, value_schemas
from schemas.topics import EVERY_TOPIC

FOLDER = Path(__file__).parents[2] / "examples" / "consumers"
TABLE = re.compile(r"create (?:table|stream) (\w+) \((.*?)\n\) with \((.*?)\);", re.DOTALL)
COLUMN = re.compile(r"^    `?(\w+)`? (\w+(?:\([\d, ]+\)|<.*>)?)(?: key)?,?$", re.MULTILINE)
MESSAGES = {"outcomes": OUTCOME, "rates": RATE}
EXACT = {
    "flink.sql": {"amount": "decimal(18, 4)", "balance": "decimal(18, 4)", "volume": "decimal(38, 4)"},
    "ksqldb.sql": {"amount": "varchar", "balance": "varchar", "volume": "varchar"},
}


@pytest.mark.parametrize("name", EXACT)
def test_columns_are_the_members_of_the_message(name: str) -> None:
    tables = TABLE.findall((FOLDER / name).read_text())
    assert [table for table, *_ in tables] == list(MESSAGES)
    for table, body, options in tables:
        properties = value_schemas()[MESSAGES[table]]["properties"]
        columns = dict(COLUMN.findall(body))
        columns.pop("wallet", None)  # the record's key
        assert list(columns) == list(properties)
        for column, kind in columns.items():
            wanted = EXACT[name].get(column.rpartition("_")[2])
            assert wanted in (None, kind)
            assert (kind == "bigint") == ("integer" in properties[column]["type"])
        assert any(f"'{topic.name}'" in options for topic in EVERY_TOPIC)
    assert "float" not in body
    assert "double" not in body


def test_a_sum_has_room() -> None:
    """In ksqlDB it has the type of what is summed, and fails where it needs more digits."""
    casts = re.findall(r"sum\(cast\((\w+) as (.*?\))\)\)", (FOLDER / "ksqldb.sql").read_text())
    assert casts == [("amount", "decimal(38, 4)")]


def test_everybody_reads_what_is_committed() -> None:
    flink = (FOLDER / "flink.sql").read_text()
    assert flink.count("'properties.isolation.level' = 'read_committed'") == len(MESSAGES)
    assert "isolation.level=read_committed" in (FOLDER / "ksqldb.sql").read_text()
    for path in FOLDER.glob("*.json"):
        config = json.loads(path.read_text())["config"]
        assert config["consumer.override.isolation.level"] == "read_committed"
        assert config["topics"] in {topic.name for topic in EVERY_TOPIC}
