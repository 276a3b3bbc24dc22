"""What the database has stored and written."""

from dataclasses import dataclass

from sinks.postgres.pool import Connection

COUNT_TIMEOUT_S = 300.0

# Of a table alone and of one in partitions.
_BYTES = """
select pg_total_relation_size('transfers')
     + coalesce((select sum(pg_total_relation_size(relid)) from pg_partition_tree('transfers') where level > 0), 0)
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """Rows of ``transfers``, their bytes on disk with all indexes, and the position in the write-ahead log."""

    rows: int
    disk_bytes: int
    wal_bytes: int


async def stored(database: Connection) -> Stored:
    """As it is now; the rows are counted one by one."""
    return Stored(
        rows=int(await database.fetchval("select count(*) from transfers", timeout=COUNT_TIMEOUT_S)),
        disk_bytes=int(await database.fetchval(_BYTES)),
        wal_bytes=int(await database.fetchval("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint")),
    )
