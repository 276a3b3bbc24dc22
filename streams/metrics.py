"""The workers' metrics, each declared once."""

from prometheus_client import Counter, Gauge, Histogram

from schemas.codes import DeadLetterCause, FailureReason
from streams.age_histogram import AgeHistogram

APPLIED = Counter("hfts_transfers_applied", "Transfers committed to the ledger that moved their money.")
FAILED = Counter("hfts_transfers_failed", "Transfers committed to the ledger as failed, by reason.", ["reason"])
DEAD_LETTERS = Counter("hfts_dead_letters", "Records published as dead letters, by cause.", ["cause"])
BATCH_RECORDS = Histogram(
    "hfts_batch_records",
    "Records that an agent works on together, of all its partitions.",
    ["agent"],
    buckets=(1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000),
)
BATCH_SECONDS = Histogram(
    "hfts_batch_seconds",
    "Time that a step of such a batch takes, in seconds: decode, decide, commit or publish, where the agent has it.",
    ["agent", "step"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
END_TO_END_SECONDS = AgeHistogram(
    "hfts_end_to_end_seconds",
    "Time from a request's timestamp in Kafka to its confirmed outcome, in seconds; not of what is told after a crash.",
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0),
)
REBALANCES = Counter("hfts_rebalances", "Times that the agent's group has shared its partitions out.", ["agent"])
ASSIGNED_PARTITIONS = Gauge("hfts_assigned_partitions", "Partitions that the agent works on here.", ["agent"])
CHECKPOINTS = Counter("hfts_checkpoints", "Checkpoints of the audit that this process has signed.")
CHECKPOINT_REFUSED = Counter(
    "hfts_checkpoints_refused",
    "Times that no checkpoint was signed, because the audit is not what the last one signed.",
)

# From 0, so that the first one is an increase.
for _reason in FailureReason:
    FAILED.labels(_reason)
for _cause in DeadLetterCause:
    DEAD_LETTERS.labels(_cause)
