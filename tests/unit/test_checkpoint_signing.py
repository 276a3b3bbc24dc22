"""What is signed in a checkpoint and what is not, and the keys that sign and that are trusted."""

from typing import Any

import msgspec
import orjson
import pytest
from audit_topics import KEY, PUBLIC, WHOLE, checkpoint_of, checkpoints
from builders import consumed
from typer.testing import CliRunner

from ops.cli import build_app
from schemas.audit import chain_record, seal_of
from schemas.checkpoints import Checkpoint, CheckpointError, check_signature, decode_checkpoint, encode_checkpoint
from schemas.settings import Settings
from sinks.audit_keys import signing_key, trusted_keys
from sinks.kafka.publisher import KafkaPublisher
from streams.checkpoints import CheckpointWriter, GrowingTree


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


def test_the_seal_is_read_off_the_end_of_a_record() -> None:
    record = orjson.loads(WHOLE[3])
    assert seal_of(WHOLE[3]) == (record["prev_hash"].encode(), record["hash"].encode())
    metadata = {"prev_hash": "f" * 64, "hash": "e" * 64}
    value, seal = chain_record({"metadata": metadata}, outcome_offset=1, sequence=1, prev_hash="a" * 64)
    assert seal_of(value) == (b"a" * 64, seal.encode())
    for value in (b"", b"{}", orjson.dumps(record, option=orjson.OPT_INDENT_2), WHOLE[3][:-1], WHOLE[3] + b" "):
        with pytest.raises(ValueError, match="does not end with its hash"):
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


def test_a_key_that_nobody_believes_signs_nothing() -> None:
    text = "a=" + "A" * 43
    publisher = KafkaPublisher(settings(), "writer")
    with pytest.raises(CheckpointError, match="AUDIT_SIGNING_KEY is not"):
        CheckpointWriter(settings(audit_verify_keys=text), publisher)
    CheckpointWriter(settings(audit_verify_keys=text, audit_signing_key=text), publisher)
    CheckpointWriter(settings(), publisher)


def test_a_pair_of_keys_made_for_it_fits() -> None:
    printed = CliRunner().invoke(build_app(), ["keygen", "--audit", "vault"]).stdout
    values = dict(line.split("=", 1) for line in printed.splitlines() if not line.startswith("#"))
    signer = signing_key(settings(audit_signing_key=values["AUDIT_SIGNING_KEY"]))
    trusted = trusted_keys(settings(audit_verify_keys=values["AUDIT_VERIFY_KEYS"]))
    assert trusted == {signer.public_key().public_bytes_raw(): "vault"}
