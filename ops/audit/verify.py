"""Streams the checkpoints and then the audit through verifiers, in bounded memory."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ops.audit.chain import ChainFault, ChainVerifier
from ops.audit.checkpoint_chain import CheckpointVerifier
from ops.topic_reader import group_free_consumer, partition_counts, read_spans, topic_spans
from schemas.checkpoints import Checkpoint
from schemas.settings import Settings
from schemas.topics import AUDIT, AUDIT_CHECKPOINTS, CHECKPOINTS_PARTITION
from sinks.audit_keys import trusted_keys

Progress = Callable[[str, int, int], None]
"""Told of what how many records of how many have been read."""


@dataclass(slots=True, kw_only=True)
class CheckpointsReport:
    """How many checkpoints hold, the last of them, and the first fault."""

    topic: str
    checked: int = 0
    last: Checkpoint | None = None
    fault: ChainFault | None = None

    def as_json(self) -> dict[str, object]:
        """The report as a JSON object."""
        said = None if self.last is None else self.last.statement
        return {
            "topic": self.topic,
            "checked": self.checked,
            "last": said and {"number": said.number, "time": said.time, "records": said.records, "root": said.root},
            "fault": None if self.fault is None else _fault_as_json(self.fault),
        }


@dataclass(slots=True)
class AuditReport:
    """How many records were checked in each partition, each chain's last hash, and the first fault of each.

    ``unsigned`` records come after the last checkpoint.
    """

    topic: str
    checkpoints: CheckpointsReport
    checked: dict[int, int] = field(default_factory=dict)
    heads: dict[int, str] = field(default_factory=dict)
    faults: list[ChainFault] = field(default_factory=list)
    unsigned: int = 0

    @property
    def sound(self) -> bool:
        """Whether every chain holds, and is what the checkpoints say."""
        return not self.faults and self.checkpoints.fault is None

    def as_json(self) -> dict[str, object]:
        """The report as a JSON object."""
        return {
            "topic": self.topic,
            "sound": self.sound,
            "checked": sum(self.checked.values()),
            "unsigned": self.unsigned,
            "partitions": [
                {"partition": partition, "checked": checked, "head": self.heads[partition]}
                for partition, checked in sorted(self.checked.items())
            ],
            "faults": [_fault_as_json(fault) for fault in self.faults],
            "checkpoints": self.checkpoints.as_json(),
        }


async def verify_audit(
    settings: Settings, progress: Progress = lambda _name, _read, _total: None, *, kept: Sequence[Checkpoint] = ()
) -> AuditReport:
    """Check the audit topic up to its present end against the checkpoints on their topic and those that were ``kept``
    elsewhere. Raises TopicReadError when a topic cannot be read."""
    topic, signed = settings.topic_name(AUDIT), settings.topic_name(AUDIT_CHECKPOINTS)
    counts = await partition_counts(settings, [topic, signed])
    checkpoints = CheckpointVerifier(topic, trusted_keys(settings), kept)
    async with group_free_consumer(settings) as consumer:
        # First: whatever they sign is on the other topic by then.
        [where] = await topic_spans(consumer, {signed: CHECKPOINTS_PARTITION + 1})
        async for tp, records in read_spans(consumer, [where]):
            for record in records:
                checkpoints.check(tp.partition, record.offset, record.value)
            progress("checkpoints", records[-1].offset + 1, where.end)
        checkpoints.finish(where.end)
        spans = await topic_spans(consumer, {topic: counts[topic]})
        verifiers = {
            span.partition: ChainVerifier(span.partition, begin=span.begin, marks=checkpoints.marks.of(span.partition))
            for span in spans
        }
        total = sum(span.end - span.begin for span in spans)
        read = 0
        async for tp, records in read_spans(consumer, spans):
            verifier = verifiers[tp.partition]
            for record in records:
                verifier.check(record.offset, record.value)
            read += len(records)
            progress("audit records", read, total)
        for span in spans:
            verifiers[span.partition].finish(span.end)
    seen = CheckpointsReport(topic=signed, checked=checkpoints.checked, last=checkpoints.last, fault=checkpoints.fault)
    return report_of(topic, verifiers.values(), seen)


def report_of(topic: str, verifiers: Iterable[ChainVerifier], checkpoints: CheckpointsReport) -> AuditReport:
    """The verifiers' findings, in order of partition."""
    report = AuditReport(topic, checkpoints)
    for verifier in sorted(verifiers, key=lambda found: found.partition):
        report.checked[verifier.partition] = verifier.checked
        report.heads[verifier.partition] = verifier.head
        report.unsigned += verifier.unsigned
        if verifier.fault is not None:
            report.faults.append(verifier.fault)
    return report


def _fault_as_json(fault: ChainFault) -> dict[str, object]:
    return {"partition": fault.partition, "offset": fault.offset, "problem": fault.problem}
