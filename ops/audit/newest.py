"""The newest checkpoint, from its topic or from a file."""

from pathlib import Path

from ops.errors import CommandError
from ops.topic_reader import partition_counts
from schemas.checkpoints import Checkpoint, CheckpointError, check_signature, decode_checkpoint
from schemas.codes import CliCode
from schemas.settings import Settings
from schemas.topics import AUDIT, AUDIT_CHECKPOINTS, CHECKPOINTS_PARTITION
from sinks.audit_keys import trusted_keys
from sinks.kafka.tails import last_records


async def newest_checkpoint(settings: Settings) -> Checkpoint | None:
    """The last one on the topic, its signature checked; None where there is none.

    Raises CommandError for one that is not ours, TopicReadError where there is no such topic, and KafkaError.
    """
    topic = settings.topic_name(AUDIT_CHECKPOINTS)
    await partition_counts(settings, [topic])
    found = await last_records(settings, topic, [CHECKPOINTS_PARTITION])
    if not found:
        return None
    record = found[CHECKPOINTS_PARTITION]
    return _believed(settings, record.value, f"offset {record.offset} of {topic}")


def kept_checkpoint(settings: Settings, file: Path) -> Checkpoint:
    """A checkpoint of ours that was kept in a file. Raises CommandError."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from None
    return _believed(settings, raw, str(file))


def _believed(settings: Settings, raw: bytes | None, place: str) -> Checkpoint:
    try:
        checkpoint = decode_checkpoint(raw)
        check_signature(checkpoint.statement, checkpoint.signature, trusted_keys(settings))
    except CheckpointError as error:
        raise CommandError(f"{place}: {error}", CliCode.CHECKPOINT_BROKEN) from None
    if checkpoint.statement.topic != settings.topic_name(AUDIT):
        raise CommandError(f"{place}: {checkpoint.title} is of {checkpoint.statement.topic}", CliCode.CHECKPOINT_BROKEN)
    return checkpoint
