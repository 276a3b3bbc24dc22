import hashlib
import json
from typing import Any

import orjson
import pytest

from ops.audit.chain import ChainVerifier
from schemas.audit import GENESIS_HASH, chain_record


def chain(count: int) -> list[bytes]:
    values, prev_hash = [], GENESIS_HASH
    for sequence in range(count):
        outcome = {"transfer_id": f"t{sequence}", "amount": "1.0000", "reference": "für Äpfel"}
        value, prev_hash = chain_record(outcome, outcome_offset=sequence * 2, sequence=sequence, prev_hash=prev_hash)
        values.append(value)
    return values


def verified(values: list[bytes | None], begin: int = 0) -> ChainVerifier:
    verifier = ChainVerifier(4, begin=begin)
    for offset, value in enumerate(values):
        verifier.check(offset, value)
    return verifier


def altered(value: bytes, **changes: Any) -> bytes:
    return orjson.dumps({**orjson.loads(value), **changes})


def sealed(value: bytes, **changes: Any) -> bytes:
    """Altered, and given a hash that fits, by the rule as the documentation tells it to outsiders."""
    record = {**json.loads(value), **changes}
    del record["hash"]
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return orjson.dumps({**record, "hash": hashlib.sha256(text.encode()).hexdigest()})


def test_a_sound_chain_holds() -> None:
    verifier = verified([*chain(5)])
    assert verifier.fault is None
    assert verifier.checked == 5
    assert verifier.head == orjson.loads(chain(5)[-1])["hash"]


def test_an_empty_partition_holds() -> None:
    verifier = verified([])
    assert (verifier.fault, verifier.checked, verifier.head) == (None, 0, GENESIS_HASH)


def test_the_rule_told_to_outsiders_seals_the_same_hash() -> None:
    value = chain(1)[0]
    assert orjson.loads(sealed(value)) == orjson.loads(value)


def test_an_altered_field_is_found_where_it_stands() -> None:
    values: list[bytes | None] = [*chain(4)]
    values[2] = altered(chain(4)[2], amount="9.0000")
    fault = verified(values).fault
    assert fault is not None
    assert (fault.partition, fault.offset) == (4, 2)
    assert "hash does not fit" in fault.problem


def test_an_altered_and_resealed_record_breaks_the_next_link() -> None:
    values: list[bytes | None] = [*chain(4)]
    values[1] = sealed(chain(4)[1], amount="9.0000")
    fault = verified(values).fault
    assert fault is not None
    assert fault.offset == 2
    assert "prev_hash" in fault.problem


@pytest.mark.parametrize(
    ("order", "offset", "problem"),
    [
        ([0, 2, 3], 1, "sequence is 2, 1 is due"),
        ([0, 1, 1, 2], 2, "sequence is 1, 2 is due"),
        ([1, 0], 0, "sequence is 1, 0 is due"),
    ],
)
def test_missing_doubled_and_swapped_records_are_found(order: list[int], offset: int, problem: str) -> None:
    whole = chain(4)
    fault = verified([whole[index] for index in order]).fault
    assert fault is not None
    assert (fault.offset, fault.problem) == (offset, problem)


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"sequence":0,"sequence":0}',
        b'{"sequence":false}',
        b'{"sequence":0,"prev_hash":"' + b"0" * 64 + b'","big":' + b"9" * 30 + b"}",
        b'{"sequence":0,"prev_hash":"' + b"0" * 64 + b'","text":"\\ud800"}',
        b"[" * 100_000,
    ],
)
def test_what_we_never_wrote_is_a_fault(value: bytes | None) -> None:
    fault = verified([value]).fault
    assert fault is not None
    assert fault.offset == 0


def test_only_the_first_fault_counts() -> None:
    verifier = verified([chain(1)[0], b"{}", b"[]"])
    assert verifier.checked == 1
    assert verifier.fault is not None
    assert verifier.fault.offset == 1
    assert verifier.check(3, chain(1)[0]) is None


def test_a_chain_whose_start_is_gone_cannot_hold() -> None:
    fault = verified([], begin=7).fault
    assert fault is not None
    assert fault.problem == "the records before offset 7 are gone"
