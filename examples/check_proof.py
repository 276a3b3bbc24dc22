"""Checks, offline, what `hfts audit prove` has printed.

python check_proof.py PROOF.json PUBLIC_KEY

PUBLIC_KEY is what `hfts audit key` prints, and must have come to you in a way that you trust. Exit 0: the record is
among those that the holder of the key has signed. It needs Python and the package `cryptography`, and nothing of ours.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def canonical(value: Any) -> bytes:
    """Keys in code point order, no blanks, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(*parts: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(b"".join(parts)).digest()


def unbase64(text: str) -> bytes:
    """base64url, which stands here without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def root_from(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root of a Merkle tree (RFC 6962) of so many leaves that has this one at the index, by its audit path."""
    if size == 1:
        return leaf if not path else b""
    left_size = 1 << (size - 1).bit_length() - 1  # the largest power of two below size
    *path, sibling = path
    if index < left_size:
        return digest(b"\x01", root_from(leaf, index, left_size, path), sibling)
    return digest(b"\x01", sibling, root_from(leaf, index - left_size, size - left_size, path))


def check(proof: dict[str, Any], public_key: str) -> dict[str, Any]:
    """The signed statement. Raises InvalidSignature, or ValueError that says what does not hold."""
    record, tree = proof["record"], proof["tree"]
    statement: dict[str, Any] = proof["statement"]

    seal = hashlib.sha256(canonical({name: record[name] for name in record if name != "hash"})).hexdigest()
    if seal != record["hash"]:
        raise ValueError("the record was altered")

    if not 0 <= record["sequence"] < tree["size"] or not 0 <= tree["partition"] < statement["partitions"]:
        raise ValueError("the record is not among those that were signed")
    path = [bytes.fromhex(sibling) for sibling in proof["path"]]
    leaf = digest(b"\x00", bytes.fromhex(seal))
    if root_from(leaf, record["sequence"], tree["size"], path).hex() != tree["root"]:
        raise ValueError("the record is not in its partition's tree")

    path = [bytes.fromhex(sibling) for sibling in proof["partitions_path"]]
    leaf = digest(b"\x00", canonical(tree))
    if root_from(leaf, tree["partition"], statement["partitions"], path).hex() != statement["root"]:
        raise ValueError("the partition's tree is not in the signed one")

    if statement["type"] != "hfts-audit-checkpoint-1":
        raise ValueError("something else was signed")
    key = Ed25519PublicKey.from_public_bytes(unbase64(public_key.rpartition("=")[2]))
    key.verify(unbase64(proof["signature"]), canonical(statement))
    return statement


def main() -> None:
    """Say whether it is proven."""
    if len(sys.argv) != 3:  # noqa: PLR2004 (the two of the usage)
        sys.exit(f"usage: {(__doc__ or '').splitlines()[2]}")
    try:
        proof = json.loads(Path(sys.argv[1]).read_bytes())
        statement = check(proof, sys.argv[2])
    except InvalidSignature:
        sys.exit("NOT PROVEN: the signature is not of this key")
    except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
        sys.exit(f"NOT PROVEN: {error}")
    record = proof["record"]
    print(f"PROVEN: transfer {record['transfer_id']} of {record['amount']} {record['currency']} {record['status']},")
    print(
        f"by checkpoint {statement['number']} of {statement['time']}, which has signed {statement['records']} records"
    )


if __name__ == "__main__":
    main()
