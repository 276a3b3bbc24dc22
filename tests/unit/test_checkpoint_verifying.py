"""What the chain and the checkpoints show of records that were altered, dropped, swapped, inserted or cut off."""

from collections.abc import Callable

import msgspec
import orjson
import pytest
from audit_topics import AUDIT_TOPIC, PUBLIC, WHOLE, chain, checkpoint_of, checkpoints, rehashed
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ops.audit.chain import ChainVerifier
from ops.audit.checkpoint_chain import CheckpointVerifier
from ops.audit.marks import Marks
from schemas.checkpoints import Checkpoint, encode_checkpoint

ANOTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"a" * 32)
SIGNED = (4, 8)
"""Records of the partition at each of two checkpoints. It has 10."""


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
