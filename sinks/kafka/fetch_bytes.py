"""Bounds what a consumer hands over at once in bytes, where aiokafka counts records only.

A fetch brings 1 MiB of a partition by default, but that may be compressed: 2,000 large records that are much alike fit
in, and take gigabytes when they are read. They are uncompressed batch by batch, so what is not handed over yet costs
little: each partition holds one uncompressed batch at most. What came uncompressed is no larger than the fetch, and is
not counted, which would cost more than all else that is done with a small record here.
"""

from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher

from sinks.kafka.batch_heads import batch_heads
from sinks.kafka.records import Consumed, content_bytes

BYTES_AT_ONCE_MAX = 1024 * 1024
"""Of one partition; a larger record comes alone. 2,000 requests of the usual size are below it."""

_MAGIC = 2
_CODEC_MASK = 7


class BoundedResult(fetcher.FetchResult):
    """What a fetch has brought of a partition."""

    _partition_records: Any

    def __init__(self, tp: TopicPartition, *, partition_records: Any, **options: Any) -> None:
        library: Any = super()
        library.__init__(tp, partition_records=partition_records, **options)
        self._may_grow = holds_compressed(partition_records._records.data)  # noqa: SLF001 (which are KeptRecords)

    def getall(self, max_records: int | None = None) -> list[Consumed]:
        """The next records, until there are so many, or so many bytes, or none left in this fetch."""
        library: Any = super()
        if not self._may_grow:
            taken: list[Consumed] = library.getall(max_records)
            return taken
        if not library.check_assignment(self._topic_partition) or not library.has_more():
            return []
        taken, size_bytes = [], 0
        for record in self._partition_records:
            taken.append(record)
            size_bytes += content_bytes((record,))
            if size_bytes >= BYTES_AT_ONCE_MAX or len(taken) == max_records:
                library._update_position()  # noqa: SLF001 (a subclass may)
                return taken
        library._update_position()  # noqa: SLF001
        self._partition_records = None
        return taken


def holds_compressed(data: bytes) -> bool:
    """Whether any record batch of a fetch is compressed, or older than message format 2."""
    return any(head.magic < _MAGIC or head.attributes & _CODEC_MASK for head in batch_heads(data))
