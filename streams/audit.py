"""The audit stage: outcomes in; a hash chain of them, one for each partition, out."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import orjson

from schemas.audit import GENESIS_HASH, chain_record
from schemas.crash_points import CrashPoint
from schemas.settings import Settings
from schemas.topics import AUDIT, TRANSFERS_OUTCOMES
from sinks.crash import reach
from sinks.kafka.publisher import Publisher
from sinks.kafka.records import Consumed, Record
from streams.metrics import BATCH_SECONDS
from streams.stage import Commit, Output, Positions, publish_only, refuse_shorter
from streams.traces import headers_after


class Link(msgspec.Struct):
    """The end of a partition's chain: the outcome it covers last, the next sequence number, the last hash."""

    outcome_offset: int
    next_sequence: int
    last_hash: str


class AuditStage:
    """Adds each outcome to its partition's chain once. The last record of the chain says where to go on."""

    agent = "audit"

    def __init__(self, settings: Settings, publisher: Publisher) -> None:
        self.input_topic = settings.topic_name(TRANSFERS_OUTCOMES)
        self._output_topic = settings.topic_name(AUDIT)
        self._links = Positions(self._read_links)
        self._publisher = publisher

    async def start(self) -> None:
        """Nothing to connect to beside Kafka."""

    async def stop(self) -> None:
        """Nothing to disconnect from."""

    async def resume_offsets(self, partitions: Iterable[int]) -> dict[int, int]:
        """Behind the last outcome in the chain."""
        return {
            partition: link.outcome_offset + 1 for partition, link in (await self._links.loaded(partitions)).items()
        }

    def forget(self, partitions: Iterable[int]) -> None:
        """Drop what is known of partitions that are no longer ours."""
        self._links.forget(partitions)

    async def prepare(self, batches: Mapping[int, Sequence[Consumed]]) -> Commit:
        """Make the next links of the chains."""
        links = self._links.of(batches)
        reach(CrashPoint.AFTER_DECODE)
        with BATCH_SECONDS.labels(self.agent, "decide").time():
            return publish_only(
                [
                    Output(self._output_topic, partition, _chained(links[partition], records))
                    for partition, records in batches.items()
                ]
            )

    async def _read_links(self, partitions: list[int]) -> dict[int, Link]:
        await self._publisher.take_over([self._output_topic], partitions)
        last = await self._publisher.last_records(self._output_topic, partitions)
        links = {partition: _link_after(last.get(partition)) for partition in partitions}
        await refuse_shorter(
            self._publisher, self.input_topic, {p: link.outcome_offset + 1 for p, link in links.items()}
        )
        return links


def _link_after(last: Consumed | None) -> Link:
    if last is None:
        return Link(-1, 0, GENESIS_HASH)
    record = orjson.loads(last.value or b"")
    return Link(record["outcome_offset"], record["sequence"] + 1, record["hash"])


def _chained(link: Link, records: Iterable[Consumed]) -> list[tuple[Record]]:
    chained = []
    for record in records:
        if record.offset <= link.outcome_offset:
            continue
        value, link.last_hash = chain_record(
            orjson.loads(record.value or b""),
            outcome_offset=record.offset,
            sequence=link.next_sequence,
            prev_hash=link.last_hash,
        )
        link.outcome_offset = record.offset
        link.next_sequence += 1
        chained.append((Record(record.key, value, headers_after(record)),))
    return chained
