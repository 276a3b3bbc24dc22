"""Bounds what a consumer hands over at once in bytes, where aiokafka counts records only.

A fetch brings 1 MiB of a partition by default, but that may be compressed: 2,000 large records that are much alike fit
in, and take gigabytes when they are read. They are uncompressed batch by batch, so what is not handed over yet costs
little: each partition holds one uncompressed batch at most.
"""

from typing import Any

from aiokafka.consumer import fetcher

from sinks.kafka.records import Consumed, content_bytes

BYTES_AT_ONCE_MAX = 1024 * 1024
"""Of one partition; a larger record comes alone. 2,000 requests of the usual size are below it."""


def bound_fetches() -> None:
    """Make all of aiokafka's consumers in this process stop at so many bytes. Call it before one is made, or again."""
    patched: Any = fetcher
    patched.FetchResult = _FetchResult


class _FetchResult(fetcher.FetchResult):
    """What a fetch has brought of a partition."""

    _partition_records: Any

    def getall(self, max_records: int | None = None) -> list[Consumed]:
        """The next records, until there are so many, or so many bytes, or none left in this fetch."""
        library: Any = super()
        if not library.check_assignment(self._topic_partition) or not library.has_more():
            return []
        taken: list[Consumed] = []
        size_bytes = 0
        for record in self._partition_records:
            taken.append(record)
            if record.headers:
                size_bytes += content_bytes((record,))
            else:  # the usual case, which the numbers are there for; -1 stands for null
                size_bytes += record.serialized_key_size + record.serialized_value_size
            if size_bytes >= BYTES_AT_ONCE_MAX or len(taken) == max_records:
                library._update_position()  # noqa: SLF001 (a subclass may)
                return taken
        library._update_position()  # noqa: SLF001
        self._partition_records = None
        return taken
