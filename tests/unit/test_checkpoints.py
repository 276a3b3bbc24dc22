import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import orjson
import pytest
from aiokafka.errors import KafkaConnectionError, ProducerFenced
from audit_topics import AUDIT_TOPIC, KEY, PUBLIC, chain, checkpoint_of, rehashed
from builders import consumed
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from ops.audit.chain import ChainVerifier
from ops.audit.checkpoint_chain import CheckpointVerifier
from ops.audit.marks import Marks
from ops.cli import build_app
from schemas.audit import seal_of
from schemas.checkpoints import (
    Checkpoint,
    CheckpointError,
    check_signature,
    decode_checkpoint,
    encode_checkpoint,
)
from schemas.settings import Settings
from sinks.audit_keys import signing_key, trusted_keys
from streams import checkpointing
from streams.checkpoints import CheckpointWriter, GrowingTree
from streams.metrics import CHECKPOINT_REFUSED

ANOTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"a" * 32)
SIGNED = (4, 8)
"""Records of the partition at each of two checkpoints. It has 10."""
WHOLE = chain(10)


def checkpoints(*sizes: int, values: list[bytes] = WHOLE, **changes: Any) -> list[Checkpoint]:
    made: list[Checkpoint] = []
    for size in sizes:
        made.append(checkpoint_of([values[:size]], made[-1] if made else None, **changes))
    return made


def verified(values: list[bytes], signed: list[Checkpoint]) -> ChainVerifier:
    marks = Marks()
    for checkpoint in signed:
        marks.add(checkpoint)
    verifier = ChainVerifier(0, marks=marks.of(0))
    for offset, value in enumerate(values):
        verifier.check(offset, value)
    verifier.finish(len(values))
    return verifier


def checked(signed: list[Checkpoint], kept: list[Checkpoint] | None = None) -> CheckpointVerifier:
    verifier = CheckpointVerifier(AUDIT_TOPIC, [PUBLIC], kept or [])
    for offset, checkpoint in enumerate(signed):
        verifier.check(0, offset, encode_checkpoint(checkpoint))
    verifier.finish(len(signed))
    return verifier


def altered(value: bytes) -> bytes:
    return orjson.dumps({**orjson.loads(value), "amount": "9.0000"})


CRIMES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "altered": lambda values: [*values[:5], altered(values[5]), *values[6:]],
    "dropped": lambda values: values[:5] + values[6:],
    "swapped": lambda values: [*values[:5], values[6], values[5], *values[7:]],
    "inserted": lambda values: [*values[:5], altered(values[0]), *values[5:]],
}


def test_what_was_signed_and_what_came_later_holds() -> None:
    verifier = verified(WHOLE, checkpoints(*SIGNED))
    assert (verifier.fault, verifier.checked, verifier.unsigned) == (None, 10, 2)


@pytest.mark.parametrize("crime", CRIMES)
def test_a_crime_is_found_where_it_was_done(crime: str) -> None:
    fault = verified(CRIMES[crime](WHOLE), checkpoints(*SIGNED)).fault
    assert fault is not None
    assert fault.offset == 5


@pytest.mark.parametrize("crime", CRIMES)
def test_a_crime_that_was_hashed_over_is_found_between_two_checkpoints(crime: str) -> None:
    values = rehashed(CRIMES[crime](WHOLE))
    assert verified(values, []).fault is None, "the chain alone does not show it"
    fault = verified(values, checkpoints(*SIGNED)).fault
    assert fault is not None
    assert fault.offset == 4
    assert "records 4 to 7 of the partition are not those that checkpoint 2 of" in fault.problem


@pytest.mark.parametrize("left", [0, 4, 7])
def test_a_tail_that_was_cut_off_is_found(left: int) -> None:
    assert verified(WHOLE[:left], []).fault is None, "the chain alone does not show it"
    fault = verified(WHOLE[:left], checkpoints(*SIGNED)).fault
    assert fault is not None
    assert fault.offset == left
    assert f"has signed 8 records, and {left} are left: the tail was cut off" in fault.problem


def test_a_tail_that_was_not_signed_yet_can_be_cut_off_unseen() -> None:
    assert verified(WHOLE[:8], checkpoints(*SIGNED)).fault is None


def test_a_chain_written_anew_from_its_first_record_is_found() -> None:
    fault = verified(rehashed(chain(10, amount="2.0000")), checkpoints(*SIGNED)).fault
    assert fault is not None
    assert fault.offset == 0
    assert "checkpoint 1 of" in fault.problem


def test_a_tree_that_is_not_over_the_records_is_found() -> None:
    [signed] = checkpoints(4)
    other = msgspec.structs.replace(signed.trees[0], root="00" * 32)
    fault = verified(WHOLE, [msgspec.structs.replace(signed, trees=[other])]).fault
    assert fault is not None
    assert "are not those that" in fault.problem


def test_checkpoints_hold() -> None:
    verifier = checked(checkpoints(*SIGNED))
    assert (verifier.fault, verifier.checked) == (None, 2)
    assert verifier.last is not None
    assert verifier.last.statement.records == 8


@pytest.mark.parametrize(
    ("signed", "problem"),
    [
        (checkpoints(4, 6, 8)[1:], "number 2, 1 is due"),
        ([checkpoints(4, 6, 8)[0], checkpoints(4, 6, 8)[2]], "number 3, 2 is due"),
        ([checkpoints(4)[0], checkpoints(3, 6)[1]], "does not follow from the one before"),
        (checkpoints(8, 4), "fewer records than the one before"),
        (checkpoints(4, key=ANOTHER_KEY), "none of those in AUDIT_VERIFY_KEYS"),
        (checkpoints(4, topic="another"), "is of another"),
    ],
)
def test_checkpoints_that_do_not_follow_from_each_other_are_found(signed: list[Checkpoint], problem: str) -> None:
    fault = checked(signed).fault
    assert fault is not None
    assert problem in fault.problem


def test_checkpoints_cut_off_or_rewritten_are_found_by_one_that_was_kept() -> None:
    first, second = checkpoints(*SIGNED)
    assert checked([first, second], kept=[first]).fault is None
    assert checked([first]).fault is None, "those that are left do not show it"
    cut = checked([first], kept=[second])
    assert cut.fault is not None
    assert "which was kept, is gone" in cut.fault.problem
    assert verified(WHOLE[:4], [first, second]).fault is not None
    assert [mark.size for mark in cut.marks.of(0)] == [4, 8], "what it says is still compared"
    rewritten = checked(checkpoints(3, 8), kept=[second])
    assert rewritten.fault is not None
    assert "they were rewritten" in rewritten.fault.problem


@pytest.mark.parametrize("field", ["topic", "number", "time", "records", "partitions", "root", "previous", "key"])
def test_whatever_is_changed_in_a_statement_shows(field: str) -> None:
    [signed] = checkpoints(4)
    before = getattr(signed.statement, field)
    said = msgspec.structs.replace(signed.statement, **{field: before + 1 if isinstance(before, int) else f"x{before}"})
    with pytest.raises(CheckpointError):
        check_signature(said, signed.signature, [PUBLIC])


@pytest.mark.parametrize("signature", ["", "!", "AAAA", "A" * 86])
def test_a_signature_of_something_else_does_not_hold(signature: str) -> None:
    [signed] = checkpoints(4)
    with pytest.raises(CheckpointError, match="does not hold"):
        check_signature(signed.statement, signature, [PUBLIC])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda _: None, "no checkpoint"),
        (lambda _: b"{}", "no checkpoint"),
        (lambda value: value.replace(b'"number":1', b'"number":99999999999999999999'), "no checkpoint"),
        (lambda value: value.replace(b"hfts-audit-checkpoint-1", b"hfts-audit-checkpoint-2"), "of this kind"),
        (lambda value: value.replace(b'"size":4', b'"size":3'), "not those that were signed"),
        (lambda value: value.replace(b'"partition":0', b'"partition":1'), "one tree for each partition"),
    ],
)
def test_what_is_no_checkpoint_is_refused(change: Any, problem: str) -> None:
    value = encode_checkpoint(checkpoints(4)[0])
    assert decode_checkpoint(value) == checkpoints(4)[0]
    with pytest.raises(CheckpointError, match=problem):
        decode_checkpoint(change(value))


def test_marks_are_thinned_out_but_for_the_last() -> None:
    marks = Marks(marks_max=10)
    for size in range(1, 101):
        marks.add(checkpoint_of([WHOLE[: min(size, 10)]]))
    assert len(marks._kept) <= 10
    marks = Marks(marks_max=4)
    for signed in checkpoints(*range(1, 11)):
        marks.add(signed)
    kept = [mark.size for mark in marks.of(0)]
    assert kept == [1, 5, 9, 10]
    assert verified(WHOLE, []).fault is None
    assert marks.of(7) == []


def test_the_seal_is_read_off_the_end_of_a_record() -> None:
    record = orjson.loads(WHOLE[3])
    assert seal_of(WHOLE[3]) == (record["prev_hash"].encode(), record["hash"].encode())
    for value in (b"", b"{}", orjson.dumps(record, option=orjson.OPT_INDENT_2), WHOLE[3][:-1], WHOLE[3] + b" "):
        with pytest.raises(ValueError, match="does not end with"):
            seal_of(value)


def test_a_tree_grows_from_checkpoint_to_checkpoint() -> None:
    last: Checkpoint | None = None
    for first, behind in ((0, 3), (3, 4), (4, 10)):
        tree = GrowingTree(0, last)
        assert tree.stretch(0, 12) == (first, 12)
        tree.add([consumed(offset, WHOLE[offset]) for offset in range(first, behind)])
        last = checkpoint_of([WHOLE[:behind]], last)
        assert (tree.tree, tree.position) == (last.trees[0], last.positions[0])
        assert tree.added == behind - first


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (WHOLE[5], "prev_hash is not the hash"),
        (WHOLE[3], "prev_hash is not the hash"),
        (b"{}", "does not end with"),
        (None, "does not end with"),
        (WHOLE[4].replace(orjson.loads(WHOLE[4])["hash"].encode(), b"z" * 64), "non-hexadecimal"),
    ],
)
def test_what_does_not_follow_is_not_signed(value: bytes | None, problem: str) -> None:
    tree = GrowingTree(0, checkpoints(4)[0])
    with pytest.raises(CheckpointError, match=problem):
        tree.add([consumed(4, value)])


@pytest.mark.parametrize("bounds", [(0, 3), (5, 9)])
def test_a_partition_that_lost_records_is_not_signed(bounds: tuple[int, int]) -> None:
    with pytest.raises(CheckpointError, match="goes on at 4"):
        GrowingTree(0, checkpoints(4)[0]).stretch(*bounds)


def test_subtrees_that_are_not_those_of_the_root_are_not_gone_on_from() -> None:
    [signed] = checkpoints(4)
    for peaks in ([], ["00" * 32]):
        moved = msgspec.structs.replace(signed.positions[0], peaks=peaks)
        with pytest.raises(CheckpointError, match="subtrees"):
            GrowingTree(0, msgspec.structs.replace(signed, positions=[moved]))


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, postgres_password="x", **{"secret_key": "x" * 32} | given)


def test_keys_follow_from_the_secret_key_until_one_is_given() -> None:
    derived = signing_key(settings()).public_key().public_bytes_raw()
    assert trusted_keys(settings()) == {derived: "derived"}
    later = settings(secret_key="y" * 32, secret_keys_previous="x" * 32)
    assert list(trusted_keys(later).values()) == ["derived", "derived-1"]
    assert derived in trusted_keys(later)
    text = "a=" + "A" * 43
    given = settings(audit_signing_key=text)
    assert list(trusted_keys(given).values()) == ["a"]
    verifying = settings(audit_verify_keys=text)
    assert list(trusted_keys(verifying).values()) == ["a"]
    assert signing_key(given).sign(b"") != KEY.sign(b"")


class Owner:
    """An audit agent."""

    assigned: Sequence[int] | None = None
    should_stop = False


async def test_the_owner_of_the_first_partition_has_them_written(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[Sequence[int] | None] = []
    written, agent = asyncio.Event(), Owner()

    async def write(_settings: Settings) -> int:
        rounds.append(agent.assigned)
        written.set()
        return 1

    monkeypatch.setattr(checkpointing, "write_checkpoints", write)
    at_once = settings().model_copy(update={"audit_checkpoint_interval_s": 0})
    async with checkpointing.checkpoints_written(at_once, agent):
        for assigned in (None, [1, 2], [0, 1]):
            agent.assigned = assigned
            for _ in range(10):
                await asyncio.sleep(0)
        await written.wait()
    assert {tuple(assigned or ()) for assigned in rounds} == {(0, 1)}


@pytest.mark.parametrize("error", [CheckpointError("cut off"), ProducerFenced(), KafkaConnectionError(), OSError()])
async def test_a_round_that_fails_is_left_to_the_next(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    stopped: list[bool] = []

    class Publisher:
        def __init__(self, *_: object) -> None: ...

        async def start(self) -> None: ...

        async def stop(self) -> None:
            stopped.append(True)

    async def write(_writer: object) -> None:
        raise error

    monkeypatch.setattr(checkpointing, "KafkaPublisher", Publisher)
    monkeypatch.setattr(CheckpointWriter, "write", write)
    before = CHECKPOINT_REFUSED._value.get()
    assert await checkpointing.write_checkpoints(settings()) == 0
    assert stopped == [True]
    assert CHECKPOINT_REFUSED._value.get() - before == isinstance(error, CheckpointError)


def test_a_pair_of_keys_made_for_it_fits() -> None:
    printed = CliRunner().invoke(build_app(), ["keygen", "--audit", "vault"]).stdout
    values = dict(line.split("=", 1) for line in printed.splitlines() if not line.startswith("#"))
    signer = signing_key(settings(audit_signing_key=values["AUDIT_SIGNING_KEY"]))
    trusted = trusted_keys(settings(audit_verify_keys=values["AUDIT_VERIFY_KEYS"]))
    assert trusted == {signer.public_key().public_bytes_raw(): "vault"}
