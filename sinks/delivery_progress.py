"""How far the notifications of each partition are delivered or queued, kept where who lost its partition sees it.

A notification stands once on its topic, so its offset stands for its transfer, recipient and channel.
"""

from collections.abc import Iterable, Mapping, Sequence

import asyncpg
import msgspec

from sinks.delivery.queue import Queued, enqueue
from sinks.errors import ProgressMovedError
from sinks.metrics import COMMIT_RETRIES
from sinks.postgres.retry import until_done

_READ = "select partition, next_offset from stream_progress where topic = $1 and partition = any($2::int[])"

# A partition without a row is given one; otherwise the row must be where it was left.
_MOVE = """
insert into stream_progress as p (topic, partition, next_offset)
select $1, partition, next_offset from unnest($2::int[], $3::bigint[]) as u (partition, next_offset)
on conflict (topic, partition) do update
    set next_offset = excluded.next_offset, updated_at = clock_timestamp()
    where p.next_offset = ($4::bigint[])[array_position($2::int[], p.partition)]
returning partition
"""


class Move(msgspec.Struct):
    """A partition's step from where it was left, None where there is no row yet, to the next offset to deliver."""

    before: int | None
    after: int


class DeliveryProgress:
    """Rows of ``stream_progress`` for one topic. Waits while the database is away."""

    def __init__(self, pool: asyncpg.Pool, topic: str) -> None:
        self._pool = pool
        self._topic = topic

    async def read(self, partitions: Iterable[int]) -> dict[int, int]:
        """The next offset to deliver of each of these partitions that has got anywhere."""
        wanted = list(partitions)
        async for attempt in until_done():
            with attempt:
                rows = await self._pool.fetch(_READ, self._topic, wanted)
        return {row["partition"]: row["next_offset"] for row in rows}

    async def move(self, moves: Mapping[int, Move], queued: Sequence[Queued] = ()) -> None:
        """Note what has been delivered, and queue what is to be, all or nothing.

        Raises ProgressMovedError when another delivers one of the partitions.
        """
        async for attempt in until_done():
            if attempt.num > 1:
                COMMIT_RETRIES.inc()
            with attempt:
                # A connection lost at COMMIT leaves it open whether the move is in.
                if attempt.num > 1 and await self._is_in(moves):
                    return
                async with self._pool.acquire() as connection, connection.transaction():
                    moved = await connection.fetch(
                        _MOVE,
                        self._topic,
                        list(moves),
                        [move.after for move in moves.values()],
                        [-1 if move.before is None else move.before for move in moves.values()],
                    )
                    if len(moved) != len(moves):
                        raise ProgressMovedError(f"another delivers {self._topic}, of {sorted(moves)}")
                    if queued:
                        await enqueue(connection, queued)

    async def _is_in(self, moves: Mapping[int, Move]) -> bool:
        return await self.read(moves) == {partition: move.after for partition, move in moves.items()}
