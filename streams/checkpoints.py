"""Signs what the audit topic holds, again and again. Nothing is kept between two rounds: the last checkpoint says all.

Whoever writes has taken the topic of checkpoints over first, and has looked again at its end. So however many
processes try, and wherever they are cut off, each checkpoint follows from the one before.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.audit import seal_of
from schemas.checkpoints import (
    Checkpoint,
    CheckpointError,
    Position,
    Tree,
    check_signature,
    decode_checkpoint,
    empty_tree,
    encode_checkpoint,
    sign_checkpoint,
)
from schemas.merkle import Frontier, leaf_hashes
from schemas.settings import Settings
from schemas.topics import AUDIT, AUDIT_CHECKPOINTS, CHECKPOINTS_PARTITION
from schemas.transfers import format_time
from sinks.audit_keys import signing_key, trusted_keys
from sinks.kafka.publisher import Publisher
from sinks.kafka.records import Consumed, Record
from sinks.kafka.stretches import records_between
from sinks.kafka.tails import Bounds, bounds_of, committed_reader, partitions_of

OFFSETS_MAX = 2_000_000
"""Of all partitions together, for one checkpoint: a long history gets one after another, each durable by itself."""


class CheckpointWriter:
    """Writes checkpoints. ``publisher`` is started, and writes under an id of its own."""

    def __init__(self, settings: Settings, publisher: Publisher) -> None:
        """Raises CheckpointError where nobody would believe the key, for what it signs can never be taken back."""
        self._settings = settings
        self._publisher = publisher
        self._topic = settings.topic_name(AUDIT_CHECKPOINTS)
        self._key = signing_key(settings)
        self._trusted = trusted_keys(settings)
        if self._key.public_key().public_bytes_raw() not in self._trusted:
            raise CheckpointError("AUDIT_VERIFY_KEYS is set, and AUDIT_SIGNING_KEY is not: set both, or none of them")

    async def write(self) -> Checkpoint | None:
        """Write one if the audit has grown since the last one and nobody else is quicker; the one written.

        Raises CheckpointError when the audit is not what the last one signed: nothing is signed then. Raises
        ProducerFenced when another takes over in the midst of it, and KafkaError.
        """
        last_record = await self._last_record()
        last = None if last_record is None else self._believed(last_record)
        grown = await self._grown(last)
        if not any(tree.added for tree in grown):
            return None
        await self._publisher.take_over([self._topic], [CHECKPOINTS_PARTITION])
        now_last = await self._last_record()
        if (last_record and last_record.offset) != (now_last and now_last.offset):
            return None
        checkpoint = sign_checkpoint(
            self._key,
            topic=self._settings.topic_name(AUDIT),
            time=format_time(datetime.now(UTC)),
            after=last,
            trees=[tree.tree for tree in grown],
            positions=[tree.position for tree in grown],
        )
        record = Record(None, encode_checkpoint(checkpoint), [])
        await self._publisher.publish(self._topic, CHECKPOINTS_PARTITION, [(record,)])
        return checkpoint

    async def _last_record(self) -> Consumed | None:
        found = await self._publisher.last_records(self._topic, [CHECKPOINTS_PARTITION])
        return found.get(CHECKPOINTS_PARTITION)

    def _believed(self, record: Consumed) -> Checkpoint:
        """Somebody else's would make us sign somebody else's history."""
        checkpoint = decode_checkpoint(record.value)
        check_signature(checkpoint.statement, checkpoint.signature, self._trusted)
        return checkpoint

    async def _grown(self, last: Checkpoint | None) -> "list[GrowingTree]":
        topic = self._settings.topic_name(AUDIT)
        async with committed_reader(self._settings) as consumer:
            partitions = await partitions_of(consumer, topic)
            bounds = await bounds_of(consumer, topic, partitions)
            offsets_max = max(OFFSETS_MAX // len(partitions), 1)
            trees = []
            for where, (begin, end) in bounds.items():
                tree = GrowingTree(where.partition, last)
                first, behind = tree.stretch(begin, end)
                await _grow(consumer, where, (first, min(behind, first + offsets_max)), tree)
                trees.append(tree)
            return trees


async def _grow(consumer: AIOKafkaConsumer, where: TopicPartition, stretch: Bounds, tree: "GrowingTree") -> None:
    first, behind = stretch
    if first >= behind:
        return  # and never assigned: a consumer that is stopped before it has a position may wait for one for ever
    consumer.assign([where])
    async with aclosing(records_between(consumer, where, stretch)) as reading:
        async for records in reading:
            tree.add(records)
            await asyncio.sleep(0)  # what else runs here has its turn


class GrowingTree:
    """The tree of one partition, from where a checkpoint has left it. Pure."""

    def __init__(self, partition: int, last: Checkpoint | None) -> None:
        """Raises CheckpointError if the checkpoint contradicts itself."""
        if last is None:
            last_tree, self._next_offset, self._frontier = empty_tree(partition), 0, Frontier()
        else:
            last_tree, self._frontier = last.tree(partition), last.frontier(partition)
            self._next_offset = last.position(partition).next_offset
        self._head = last_tree.head.encode()
        self._partition = partition
        self.added = 0

    def stretch(self, begin: int, end: int) -> Bounds:
        """What to read of a partition that holds the offsets from ``begin`` to ``end``.

        Raises CheckpointError when it has lost some that were signed, or that nobody has read.
        """
        if begin > self._next_offset or end < self._next_offset:
            raise CheckpointError(
                f"partition {self._partition} of the audit holds the offsets {begin} to {end}, and the last checkpoint "
                f"goes on at {self._next_offset}: records were cut off, or it is another topic of this name"
            )
        return self._next_offset, end

    def add(self, records: Sequence[Consumed]) -> None:
        """Add records in their order. Raises CheckpointError where one does not follow from the one before."""
        seals = []
        for record in records:
            try:
                previous, seal = seal_of(record.value or b"")
                seals.append(bytes.fromhex(seal.decode()))
            except ValueError as error:
                raise self._broken(record, str(error)) from None
            if previous != self._head:
                raise self._broken(record, "prev_hash is not the hash of the record before")
            self._head = seal
        self._frontier.extend(leaf_hashes(seals))
        self.added += len(seals)
        self._next_offset = records[-1].offset + 1

    @property
    def tree(self) -> Tree:
        """What to sign."""
        return Tree(
            partition=self._partition,
            size=self._frontier.size,
            root=self._frontier.root.hex(),
            head=self._head.decode(),
        )

    @property
    def position(self) -> Position:
        """Where to go on."""
        return Position(next_offset=self._next_offset, peaks=[peak.hex() for peak in self._frontier.peaks])

    def _broken(self, record: Consumed, problem: str) -> CheckpointError:
        return CheckpointError(f"partition {self._partition} of the audit, offset {record.offset}: {problem}")
