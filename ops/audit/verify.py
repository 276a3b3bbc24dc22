"""Streams the audit topic through a verifier a partition, in bounded memory."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ops.audit.chain import ChainFault, ChainVerifier
from ops.topic_reader import group_free_consumer, partition_counts, read_spans, topic_spans
from schemas.settings import Settings
from schemas.topics import AUDIT

Progress = Callable[[int, int], None]
"""Told how many records of how many have been read."""


@dataclass(slots=True)
class AuditReport:
    """How many records were checked in each partition, each chain's last hash, and the first fault of each."""

    topic: str
    checked: dict[int, int] = field(default_factory=dict)
    heads: dict[int, str] = field(default_factory=dict)
    faults: list[ChainFault] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether every chain holds."""
        return not self.faults

    def as_json(self) -> dict[str, object]:
        """The report as a JSON object."""
        return {
            "topic": self.topic,
            "sound": self.sound,
            "checked": sum(self.checked.values()),
            "partitions": [
                {"partition": partition, "checked": checked, "head": self.heads[partition]}
                for partition, checked in sorted(self.checked.items())
            ],
            "faults": [
                {"partition": fault.partition, "offset": fault.offset, "problem": fault.problem}
                for fault in self.faults
            ],
        }


async def verify_audit(settings: Settings, progress: Progress = lambda _read, _total: None) -> AuditReport:
    """Check the audit topic up to its present end. Raises TopicReadError when it cannot be read."""
    topic = settings.topic_name(AUDIT)
    counts = await partition_counts(settings, [topic])
    async with group_free_consumer(settings) as consumer:
        spans = await topic_spans(consumer, counts)
        verifiers = {span.partition: ChainVerifier(span.partition, begin=span.begin) for span in spans}
        total = sum(span.end - span.begin for span in spans)
        read = 0
        async for tp, records in read_spans(consumer, spans):
            verifier = verifiers[tp.partition]
            for record in records:
                verifier.check(record.offset, record.value)
            read += len(records)
            progress(read, total)
    return report_of(topic, verifiers.values())


def report_of(topic: str, verifiers: Iterable[ChainVerifier]) -> AuditReport:
    """The verifiers' findings, in order of partition."""
    report = AuditReport(topic)
    for verifier in sorted(verifiers, key=lambda found: found.partition):
        report.checked[verifier.partition] = verifier.checked
        report.heads[verifier.partition] = verifier.head
        if verifier.fault is not None:
            report.faults.append(verifier.fault)
    return report
