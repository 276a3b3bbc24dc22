"""How every consumer of this process reads, where aiokafka's own way would not do."""

from typing import Any

from aiokafka.consumer import fetcher

from sinks.kafka.batch_heads import KeptRecords
from sinks.kafka.fetch_bytes import BoundedResult
from sinks.kafka.header_names import AnyNameRecords


def patch_reading() -> None:
    """Let aiokafka's consumers read header names that are no UTF-8, and hand over no more than so many bytes at once.

    Call it before a consumer is made, or again.
    """
    patched: Any = fetcher
    patched.MemoryRecords = KeptRecords
    patched.PartitionRecords = AnyNameRecords
    patched.FetchResult = BoundedResult
