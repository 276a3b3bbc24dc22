"""Records as they come from Kafka and as they go there."""

from dataclasses import dataclass
from typing import TypeAlias

from aiokafka import ConsumerRecord

from schemas.headers import Headers

Consumed: TypeAlias = ConsumerRecord[bytes | None, bytes | None]
"""A record read from a topic, its key and value as bytes."""

RECORD_OVERHEAD_BYTES = 64
"""More than Kafka adds to a record beside its key, value and headers."""


@dataclass(slots=True)
class Record:
    """A record to publish."""

    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def size_bytes_max(self) -> int:
        """No less than the record takes in a batch."""
        headers = sum(len(name.encode()) + len(value or b"") + 10 for name, value in self.headers)
        return len(self.key or b"") + len(self.value or b"") + headers + RECORD_OVERHEAD_BYTES
