"""Finds a transfer's audit record and makes a proof of it, from the ledger and one partition of the audit."""

from contextlib import aclosing
from dataclasses import replace
from typing import Any
from uuid import UUID

from ops.audit.newest import newest_checkpoint
from ops.audit.proof import proof_of
from ops.audit.verify import Progress
from ops.errors import CommandError
from ops.own_json import loads_own
from ops.source_reader import source_reader
from ops.topic_reader import group_free_consumer, read_spans, topic_spans
from schemas.audit import record_hash, seal_of
from schemas.checkpoints import Checkpoint
from schemas.codes import CliCode
from schemas.merkle import InclusionPath, leaf_hash, leaf_hashes, root_from
from schemas.settings import Settings
from schemas.topics import AUDIT, TRANSFERS_OUTCOMES
from sinks.kafka.records import Consumed
from sinks.postgres.pool import connect
from sinks.postgres.statements import read_statement

_TRANSFER_PLACE = read_statement(__file__, "transfer_place")


async def prove(settings: Settings, transfer_id: UUID, progress: Progress) -> dict[str, Any]:
    """The proof that the newest checkpoint covers the transfer's audit record.

    Raises CommandError where there is none, TopicReadError, KafkaError, OSError and asyncpg's errors.
    """
    partition, request_offset = await _place_of(settings, transfer_id)
    found = await _audit_record(settings, partition, request_offset)
    checkpoint = await newest_checkpoint(settings)
    size = 0 if checkpoint is None else checkpoint.tree(partition).size
    record = {} if found is None else _record(found, str(transfer_id))
    index = record.get("sequence", size)
    if checkpoint is None or index >= size:
        raise CommandError(
            f"no checkpoint covers transfer {transfer_id} yet: ask again when the next one is signed, "
            f"{settings.audit_checkpoint_interval_s} s from now at most",
            CliCode.AUDIT_NOT_SIGNED,
        )
    path = InclusionPath(index, size)
    await _take_leaves(settings, partition, checkpoint, path, progress)
    leaf = leaf_hash(bytes.fromhex(record["hash"]))
    if root_from(leaf, index, size, path.hashes).hex() != checkpoint.tree(partition).root:
        raise _broken(partition, checkpoint)
    return proof_of(record, path.hashes, partition, checkpoint)


async def _place_of(settings: Settings, transfer_id: UUID) -> tuple[int, int]:
    connection = await connect(settings)
    try:
        row = await connection.fetchrow(_TRANSFER_PLACE, transfer_id)
    finally:
        await connection.close()
    if row is None:
        raise CommandError(
            f"the ledger has no transfer {transfer_id}: check the id; what is pending has no outcome to prove yet",
            CliCode.TRANSFER_NOT_FOUND,
        )
    return row["request_partition"], row["request_offset"]


async def _audit_record(settings: Settings, partition: int, request_offset: int) -> Consumed | None:
    async with source_reader(settings) as read:
        outcomes = await read.partition(settings.topic_name(TRANSFERS_OUTCOMES), partition)
        outcome = await outcomes.one_following(request_offset)
        if outcome is None:
            return None
        audit = await read.partition(settings.topic_name(AUDIT), partition)
        return await audit.one_following(outcome.offset)


def _record(found: Consumed, transfer_id: str) -> dict[str, Any]:
    """Headers led to it, of which no hash speaks."""
    try:
        record: dict[str, Any] = loads_own(found.value or b"")
        holds = (record["transfer_id"], record["hash"]) == (transfer_id, record_hash(record))
    except (ValueError, TypeError, KeyError):
        holds = False
    if not holds:
        raise CommandError(
            f"offset {found.offset} of partition {found.partition} of the audit was altered: run hfts audit verify",
            CliCode.CHECKPOINT_BROKEN,
        )
    return record


async def _take_leaves(
    settings: Settings, partition: int, checkpoint: Checkpoint, path: InclusionPath, progress: Progress
) -> None:
    """Hand the partition's first records, so many as the checkpoint has signed, to the path."""
    size, taken = checkpoint.tree(partition).size, 0
    async with group_free_consumer(settings) as consumer:
        *_, there = await topic_spans(consumer, {settings.topic_name(AUDIT): partition + 1})
        signed = replace(there, end=min(there.end, checkpoint.position(partition).next_offset))
        async with aclosing(read_spans(consumer, [signed])) as reading:
            async for _, records in reading:
                try:
                    seals = [bytes.fromhex(seal_of(record.value or b"")[1].decode()) for record in records]
                except ValueError:
                    raise _broken(partition, checkpoint) from None
                path.extend(leaf_hashes(seals))
                taken += len(seals)
                progress("audit records", taken, size)
    if taken != size:
        raise _broken(partition, checkpoint)


def _broken(partition: int, checkpoint: Checkpoint) -> CommandError:
    return CommandError(
        f"partition {partition} of the audit is not what {checkpoint.title} has signed: run hfts audit verify",
        CliCode.CHECKPOINT_BROKEN,
    )
