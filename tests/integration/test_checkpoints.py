"""Checkpoints on real topics: who may write them, what they find, and proofs by them."""

import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from uuid import UUID

import pytest
from aiokafka.errors import ProducerFenced
from audit_topics import chain, rehashed
from hfts_command import hfts
from pipeline_run import ANNA, LAST, PAYMENT, partition_of, run_pipeline
from plain_topics import put_records, records_of

from ops.audit.newest import kept_checkpoint, newest_checkpoint
from ops.audit.prove import prove
from ops.audit.verify import verify_audit
from ops.errors import CommandError
from ops.lag.reader import admin_client
from schemas.checkpoints import CheckpointError, encode_checkpoint
from schemas.codes import CliCode
from schemas.settings import Settings
from schemas.topics import AUDIT, AUDIT_CHECKPOINTS, Topic
from sinks.kafka.publisher import KafkaPublisher
from sinks.kafka.records import Record
from sinks.kafka.topics import ensure_topics
from streams import checkpoints
from streams.checkpointing import WRITER, write_checkpoints
from streams.checkpoints import CheckpointWriter

SCRIPT = Path(__file__).parents[2] / "examples" / "check_proof.py"


async def put(settings: Settings, partition: int, values: Sequence[bytes]) -> None:
    records = [Record(b"k", value, []) for value in values]
    await put_records(settings, settings.topic_name(AUDIT), partition, records)


async def make_anew(settings: Settings, *topics: Topic) -> None:
    """Delete and make them."""
    async with admin_client(settings) as admin:
        await admin.delete_topics([settings.topic_name(topic) for topic in topics])
    await ensure_topics(settings)


class HeldUp(KafkaPublisher):
    """A writer that is held up before a step of its own, while something else happens."""

    def __init__(self, settings: Settings, step: str, meanwhile: Callable[[], Awaitable[object]]) -> None:
        super().__init__(settings, settings.group_name(WRITER))
        self._step = step
        self._meanwhile = meanwhile

    async def take_over(self, topics: Sequence[str], partitions: Iterable[int]) -> None:
        if self._step == "take_over":
            await self._meanwhile()
        await super().take_over(topics, partitions)

    async def publish(self, topic: str, partition: int, groups: Iterable[tuple[Record, ...]]) -> None:
        if self._step == "publish":
            await self._meanwhile()
        await super().publish(topic, partition, groups)


async def test_what_was_added_is_signed_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await write_checkpoints(settings) == 0
    assert (await verify_audit(settings)).checkpoints.checked == 0
    first, second = chain(2_500), chain(7)
    await put(settings, 0, first[:2_000])
    await put(settings, 2, second[:3])
    assert await write_checkpoints(settings) == 1
    assert await write_checkpoints(settings) == 0
    monkeypatch.setattr(checkpoints, "OFFSETS_MAX", 1_000)  # 333 of a partition at once
    await put(settings, 0, first[2_000:])
    await put(settings, 2, second[3:])
    assert await write_checkpoints(settings) == 2
    await put(settings, 1, chain(1))
    report = await verify_audit(settings)
    assert report.sound
    assert (report.checkpoints.checked, report.unsigned) == (3, 1)
    assert report.checkpoints.last is not None
    assert [tree.size for tree in report.checkpoints.last.trees] == [2_500, 0, 7]


@pytest.mark.parametrize("step", ["take_over", "publish"])
async def test_two_writers_make_one_chain(settings: Settings, step: str) -> None:
    values = chain(6)
    await put(settings, 0, values[:2])
    await write_checkpoints(settings)

    async def the_other_one_writes() -> None:
        await put(settings, 0, values[4:])
        assert await write_checkpoints(settings) == 1

    await put(settings, 0, values[2:4])
    publisher = HeldUp(settings, step, the_other_one_writes)
    await publisher.start()
    try:
        if step == "publish":
            with pytest.raises(ProducerFenced):
                await CheckpointWriter(settings, publisher).write()
        else:
            assert await CheckpointWriter(settings, publisher).write() is None
    finally:
        await publisher.stop()
    assert await write_checkpoints(settings) == 0
    report = await verify_audit(settings)
    assert report.sound
    assert report.checkpoints.checked == 2
    assert report.unsigned == 0


async def test_a_history_made_anew_is_found_and_not_signed(settings: Settings, tmp_path: Path) -> None:
    values = chain(10)
    await put(settings, 1, values)
    await write_checkpoints(settings)
    kept = await newest_checkpoint(settings)
    assert kept is not None
    file = tmp_path / "kept.json"
    file.write_bytes(encode_checkpoint(kept))

    await make_anew(settings, AUDIT)
    await put(settings, 1, rehashed([*values[:4], *values[5:], *values[:3]]))
    report = await verify_audit(settings)
    [fault] = report.faults
    assert "records 0 to 9 of the partition are not those that checkpoint 1 of" in fault.problem
    publisher = KafkaPublisher(settings, settings.group_name(WRITER))
    await publisher.start()
    with pytest.raises(CheckpointError, match="prev_hash is not the hash"):
        await CheckpointWriter(settings, publisher).write()
    await publisher.stop()
    assert await write_checkpoints(settings) == 0
    assert len(await records_of(settings, AUDIT_CHECKPOINTS)) == 1

    await make_anew(settings, AUDIT_CHECKPOINTS)
    assert await write_checkpoints(settings) == 1
    assert (await verify_audit(settings)).sound, "who can write to the brokers can do away with what is on them"
    status, printed, _ = await hfts(settings, "audit", "verify", "--json", "--checkpoint", str(file))
    assert status == 1
    assert "they were rewritten" in printed["checkpoints"]["fault"]["problem"]


async def test_checkpoints_of_another_key_are_not_believed(settings: Settings) -> None:
    await put(settings, 0, chain(2))
    stranger = settings.model_copy(update={"secret_key": type(settings.secret_key)("y" * 32)})
    assert await write_checkpoints(stranger) == 1
    await put(settings, 0, chain(3)[2:])
    assert await write_checkpoints(settings) == 0
    assert (await verify_audit(settings)).checkpoints.fault is not None
    with pytest.raises(CommandError, match="none of those in AUDIT_VERIFY_KEYS"):
        await newest_checkpoint(settings)


async def test_a_transfer_is_proven_to_somebody_else(settings: Settings, tmp_path: Path) -> None:
    await run_pipeline(settings)
    status, _, errors = await hfts(settings, "audit", "prove", PAYMENT)
    assert (status, errors.strip()[-len("[audit_not_signed]") :]) == (1, "[audit_not_signed]")
    with pytest.raises(CommandError) as unknown:
        await prove(settings, UUID(int=7), lambda *_: None)
    assert unknown.value.code == CliCode.TRANSFER_NOT_FOUND

    assert await write_checkpoints(settings) == 1
    file = tmp_path / "proof.json"
    assert (await hfts(settings, "audit", "prove", PAYMENT, "--out", str(file)))[0] == 0
    key = subprocess.run(  # noqa: ASYNC221 (nothing else goes on)
        [sys.executable, "-m", "ops", "audit", "key"],
        env={"SECRET_KEY": settings.secret_key.get_secret_value(), "POSTGRES_PASSWORD": "x"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    checked = subprocess.run(  # noqa: ASYNC221 (likewise)
        [sys.executable, "-I", str(SCRIPT), str(file), key], capture_output=True, text=True, check=False
    )
    assert checked.stdout.startswith(f"PROVEN: transfer {PAYMENT} of 12.5000 USD COMPLETED"), checked.stderr

    kept = tmp_path / "kept.json"
    assert (await hfts(settings, "audit", "checkpoint", "--out", str(kept)))[0] == 0
    assert kept_checkpoint(settings, kept) == await newest_checkpoint(settings)

    annas = [found for found in await records_of(settings, AUDIT) if found.partition == partition_of(ANNA, settings)]
    altered = rehashed([(found.value or b"").replace(b'"Miete"', b'"Miese"') for found in annas])
    *_, last = annas  # to which all headers lead, for no hash is over them
    crimes = {
        PAYMENT: [Record(b"k", value, list(found.headers)) for value, found in zip(altered, annas, strict=True)],
        LAST: [Record(b"k", found.value, list(last.headers)) for found in annas],
    }
    for transfer_id, records in crimes.items():
        await make_anew(settings, AUDIT)
        await put_records(settings, settings.topic_name(AUDIT), partition_of(ANNA, settings), records)
        with pytest.raises(CommandError) as broken:
            await prove(settings, UUID(transfer_id), lambda *_: None)
        assert broken.value.code == CliCode.CHECKPOINT_BROKEN
