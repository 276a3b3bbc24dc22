"""What the runbook tells to type into the database is taken by it."""

import re
from pathlib import Path

import asyncpg

RUNBOOK = (Path(__file__).parents[2] / "docs/runbook.md").read_text()


async def test_the_sql_is_of_this_schema(connection: asyncpg.Connection) -> None:
    statements = [
        statement
        for block in re.findall(r"^```sql\n(.*?)^```$", RUNBOOK, re.MULTILINE | re.DOTALL)
        for statement in block.split(";\n")
        if statement.strip()
    ]
    assert statements
    for statement in statements:
        async with connection.transaction():
            await connection.execute(statement)
