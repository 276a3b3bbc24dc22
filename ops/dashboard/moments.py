"""When the broker took a record."""

from datetime import UTC, datetime

from sinks.kafka.records import Consumed


def moment_of(record: Consumed) -> datetime:
    """Its timestamp, in UTC."""
    return datetime.fromtimestamp(max(record.timestamp, 0) / 1000, UTC)
