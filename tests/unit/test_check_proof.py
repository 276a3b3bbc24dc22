"""The example that checks proofs, as a third party runs it: on its own, with the public key."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from audit_topics import KEY, PUBLIC, chain, checkpoint_of
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ops.audit.proof import proof_of
from schemas.checkpoints import base64_of
from schemas.merkle import inclusion_path, leaf_hashes
from schemas.signing_keys import format_key

SCRIPT = Path(__file__).parents[2] / "examples" / "check_proof.py"
PARTITIONS = [chain(3, currency="USD", status="COMPLETED"), chain(11, currency="USD", status="COMPLETED"), []]
Proof = dict[str, Any]
NOT_PROVEN = (InvalidSignature, ValueError, KeyError, TypeError)


def proof(partition: int, index: int) -> Proof:
    values = PARTITIONS[partition]
    records = [orjson.loads(value) for value in values]
    path = inclusion_path(leaf_hashes([bytes.fromhex(record["hash"]) for record in records]), index)
    return proof_of(records[index], path, partition, checkpoint_of(PARTITIONS))


def load_check() -> Callable[[Proof, str], Proof]:
    found: dict[str, Any] = {"__name__": "check_proof"}
    exec(SCRIPT.read_text(), found)  # noqa: S102 (our own example, which is in no package)
    check: Callable[[Proof, str], Proof] = found["check"]
    return check


CHECK = load_check()
KEY_TEXT = base64_of(PUBLIC)


@pytest.mark.parametrize(("partition", "index"), [(0, 0), (0, 2), (1, 0), (1, 7), (1, 8), (1, 10)])
def test_a_proof_holds(partition: int, index: int) -> None:
    assert CHECK(proof(partition, index), KEY_TEXT)["records"] == 14
    assert CHECK(proof(partition, index), format_key("name", PUBLIC))["number"] == 1


def changed(proof: Proof, where: str, value: Any) -> Proof:
    made: Proof = orjson.loads(orjson.dumps(proof))
    *names, last = where.split(".")
    inner = made
    for name in names:
        inner = inner[name]
    inner[last] = value
    return made


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("record.amount", "9.0000"),
        ("record.sequence", 6),
        ("record.more", 1),
        ("record", orjson.loads(chain(8, amount="2.0000")[7])),
        ("path", []),
        ("path", ["00" * 32]),
        ("path", ["00" * 32] * 9),
        ("tree.size", 10),
        ("tree.partition", 0),
        ("tree.partition", -1),
        ("tree.root", "00" * 32),
        ("tree.head", "00" * 32),
        ("partitions_path", []),
        ("statement.records", 15),
        ("statement.time", "2027-01-02T03:04:05.000000Z"),
        ("statement.type", "another"),
        ("statement.root", "00" * 32),
        ("signature", base64_of(KEY.sign(b"another"))),
        ("signature", ""),
    ],
)
def test_a_proof_with_anything_changed_does_not(where: str, value: Any) -> None:
    with pytest.raises(NOT_PROVEN):
        CHECK(changed(proof(1, 7), where, value), KEY_TEXT)


def test_a_proof_of_another_key_does_not() -> None:
    with pytest.raises(NOT_PROVEN):
        CHECK(proof(1, 7), base64_of(Ed25519PrivateKey.generate().public_key().public_bytes_raw()))


def test_a_proof_holds_nothing_of_other_records() -> None:
    text = orjson.dumps(proof(1, 7)).decode()
    assert [number for number in range(11) if f'"t{number}"' in text] == [7]


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        (None, 0, "PROVEN: transfer t7 of 1.0000 USD COMPLETED,"),
        (("record.amount", "9.0000"), 1, "NOT PROVEN: the record was altered"),
        (("signature", base64_of(KEY.sign(b"another"))), 1, "NOT PROVEN: the signature is not of this key"),
    ],
)
def test_as_it_is_run(tmp_path: Path, change: tuple[str, Any] | None, status: int, said: str) -> None:
    file = tmp_path / "proof.json"
    file.write_bytes(orjson.dumps(proof(1, 7) if change is None else changed(proof(1, 7), *change)))
    command = [sys.executable, "-I", str(SCRIPT), str(file), KEY_TEXT]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode, (ran.stdout + ran.stderr).splitlines()[0]) == (status, said)


@pytest.mark.parametrize("content", [None, b"", b"[1]", b"\xff", orjson.dumps(changed(proof(1, 7), "tree.size", 8.0))])
def test_what_is_no_proof_is_told_in_a_line(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "proof.json"
    if content is not None:
        file.write_bytes(content)
    ran = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(file), KEY_TEXT], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (1, "", 1), ran.stderr
    assert ran.stderr.startswith("NOT PROVEN: ")
