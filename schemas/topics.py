"""Every topic, declared once: its name, what its key is and how long it keeps records.

All topics have the same number of partitions and are co-partitioned: what follows from a request on
partition *p* is on partition *p* of every topic. The key is the source wallet's id as text, but for checkpoints, which
are of all partitions and have none.
"""

from dataclasses import dataclass

FOREVER_MS = -1
MONTH_MS = 30 * 24 * 3600 * 1000

RECORD_BYTES_MAX = 1024 * 1024
"""The largest record a producer may send, the broker's own default."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic's name, retention in milliseconds (-1: for ever) and largest record in bytes.

    Of a compacted one, Kafka keeps the last record of each key alone.
    """

    name: str
    retention_ms: int = FOREVER_MS
    record_bytes_max: int = RECORD_BYTES_MAX
    is_compacted: bool = False

    @property
    def config(self) -> dict[str, str]:
        """The topic's configuration in Kafka's terms."""
        return {
            "cleanup.policy": "compact" if self.is_compacted else "delete",
            # By the broker's clock: records of a producer whose clock is wrong are neither refused nor kept too short.
            "message.timestamp.type": "LogAppendTime",
            "retention.ms": str(self.retention_ms),
            "max.message.bytes": str(self.record_bytes_max),
        }


# The tail of each output topic says what has been published, so those keep their records for ever.
TRANSFERS_REQUESTED = Topic("transfers.requested", retention_ms=MONTH_MS)
TRANSFERS_OUTCOMES = Topic("transfers.outcomes", record_bytes_max=2 * RECORD_BYTES_MAX)
NOTIFICATIONS = Topic("notifications", record_bytes_max=2 * RECORD_BYTES_MAX)
AUDIT = Topic("audit", record_bytes_max=2 * RECORD_BYTES_MAX)
# One record for all partitions together, all on one: some 750 bytes for each of them.
AUDIT_CHECKPOINTS = Topic("audit.checkpoints", record_bytes_max=8 * RECORD_BYTES_MAX)
CHECKPOINTS_PARTITION = 0
# A dead letter is the request's bytes and headers that say why. What came well compressed may be larger than it was.
DEAD_LETTERS = Topic("transfers.dead-letter", record_bytes_max=8 * RECORD_BYTES_MAX)

ALL_TOPICS = (TRANSFERS_REQUESTED, TRANSFERS_OUTCOMES, NOTIFICATIONS, AUDIT, AUDIT_CHECKPOINTS, DEAD_LETTERS)
"""Those that the pipeline itself lives on."""

# They follow from the outcomes alone, and whoever does without the agent `rates` does without them.
TRANSFERS_RATES = Topic("transfers.rates", retention_ms=MONTH_MS)
RATES_TABLE = Topic("transfers.rates-table", is_compacted=True)

EVERY_TOPIC = (*ALL_TOPICS, TRANSFERS_RATES, RATES_TABLE)

PARTITIONS_DEFAULT = 12
