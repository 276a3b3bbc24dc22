import subprocess
import sys

PROGRAM = """
import duckdb
from ops.bulk_reading import run_bulk_reading

async def read():
    with duckdb.connect() as database:
        return database.sql("select 42").fetchall()

print(run_bulk_reading(read()))
"""


def test_what_ends_after_reading_says_nothing_but_its_answer() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert (ended.stdout, ended.stderr) == ("[(42,)]\n", "")
