"""Checkpoints of the audit: what all of its partitions held at a moment, signed with Ed25519 (RFC 8032).

The records of a partition are the leaves of a Merkle tree (``schemas.merkle``), each by its ``hash``. The partitions'
trees are the leaves of another, in their order, each by the canonical JSON of its ``Tree``. A checkpoint signs the root
of that one, and the hash of the checkpoint before, in a ``Statement``.
"""

import base64
import binascii
import hashlib
from collections.abc import Collection, Sequence
from typing import Annotated, TypeAlias

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from schemas.audit import GENESIS_HASH, canonical_json
from schemas.merkle import EMPTY_ROOT, Frontier, leaf_hash, root_of

STATEMENT_TYPE = "hfts-audit-checkpoint-1"
"""Nothing else that the key may sign begins like this."""


Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class CheckpointError(ValueError):
    """A checkpoint is not what it should be. The message says in what way."""


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is signed, as canonical JSON: keys in code point order, no blanks, UTF-8."""

    type: str
    topic: str
    number: Count
    time: str
    records: Count
    partitions: Count
    root: str
    previous: str
    key: str


class Tree(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first ``size`` records of a partition: the root of the tree over them, and the hash of the last one."""

    partition: Count
    size: Count
    root: str
    head: str

    @property
    def leaf(self) -> bytes:
        """Its hash as a leaf of the tree over partitions."""
        return leaf_hash(canonical_json(msgspec.structs.asdict(self)))


def empty_tree(partition: int) -> Tree:
    """The tree of a partition without records."""
    return Tree(partition=partition, size=0, root=EMPTY_ROOT.hex(), head=GENESIS_HASH)


class Position(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the next checkpoint goes on in a partition: the offset, and the subtrees of its tree. Not signed: what they
    make is compared with what is."""

    next_offset: Count
    peaks: list[str]


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A statement with its signature, and the trees that its root is over, one for each partition."""

    statement: Statement
    signature: str
    trees: list[Tree]
    positions: list[Position]

    @property
    def hash(self) -> str:
        """What the next checkpoint names as ``previous``."""
        return statement_hash(self.statement)

    @property
    def title(self) -> str:
        """What it is called in messages."""
        return f"checkpoint {self.statement.number} of {self.statement.time}"

    def tree(self, partition: int) -> Tree:
        """The tree of a partition; an empty one of a partition that was not there yet."""
        return self.trees[partition] if partition < len(self.trees) else empty_tree(partition)

    def position(self, partition: int) -> Position:
        """Where the next one goes on."""
        return self.positions[partition] if partition < len(self.positions) else Position(next_offset=0, peaks=[])

    def frontier(self, partition: int) -> Frontier:
        """The tree to go on from. Raises CheckpointError if it is not the one that was signed."""
        tree = self.tree(partition)
        try:
            frontier = Frontier(tree.size, [bytes.fromhex(peak) for peak in self.position(partition).peaks])
        except ValueError as error:
            raise CheckpointError(f"{self.title}: partition {partition}: {error}") from None
        if frontier.root.hex() != tree.root:
            raise CheckpointError(f"{self.title}: the subtrees of partition {partition} are not those of its root")
        return frontier


_decoder = msgspec.json.Decoder(Checkpoint)


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """The checkpoint as it stands on its topic."""
    return msgspec.json.encode(checkpoint)


def decode_checkpoint(raw: bytes | None) -> Checkpoint:
    """Raises CheckpointError unless its parts fit each other. Its signature is not looked at."""
    try:
        checkpoint = _decoder.decode(raw or b"")
    except msgspec.MsgspecError as error:
        raise CheckpointError(f"this is no checkpoint: {error}") from None
    said = checkpoint.statement
    if said.type != STATEMENT_TYPE:
        raise CheckpointError(f"this is no checkpoint of this kind: {said.type!r}")
    trees = checkpoint.trees
    if [tree.partition for tree in trees] != list(range(said.partitions)) or len(checkpoint.positions) != len(trees):
        raise CheckpointError(f"{checkpoint.title} does not have one tree for each partition")
    if said.records != sum(tree.size for tree in trees) or said.root != _root_over(trees):
        raise CheckpointError(f"{checkpoint.title}: its trees are not those that were signed")
    return checkpoint


def sign_checkpoint(
    key: Ed25519PrivateKey,
    *,
    topic: str,
    time: str,
    after: Checkpoint | None,
    trees: list[Tree],
    positions: list[Position],
) -> Checkpoint:
    """The next checkpoint after another, or the first one."""
    statement = Statement(
        type=STATEMENT_TYPE,
        topic=topic,
        number=1 if after is None else after.statement.number + 1,
        time=time,
        records=sum(tree.size for tree in trees),
        partitions=len(trees),
        root=_root_over(trees),
        previous=GENESIS_HASH if after is None else after.hash,
        key=base64_of(key.public_key().public_bytes_raw()),
    )
    signature = base64_of(key.sign(signed_bytes(statement)))
    return Checkpoint(statement=statement, signature=signature, trees=trees, positions=positions)


def check_signature(statement: Statement, signature: str, trusted: Collection[bytes]) -> None:
    """Raises CheckpointError unless it was signed with one of these keys, given as the bytes of their public halves."""
    title = f"checkpoint {statement.number} of {statement.time}"
    public = _bytes_of(statement.key)
    if public not in trusted:
        raise CheckpointError(
            f"{title} is signed with key {statement.key}, which is none of those in AUDIT_VERIFY_KEYS"
        )
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(_bytes_of(signature), signed_bytes(statement))
    except (InvalidSignature, ValueError):
        raise CheckpointError(f"the signature of {title} does not hold") from None


def signed_bytes(statement: Statement) -> bytes:
    """What the signature is of."""
    return canonical_json(msgspec.structs.asdict(statement))


def statement_hash(statement: Statement) -> str:
    """SHA-256 of what the signature is of."""
    return hashlib.sha256(signed_bytes(statement)).hexdigest()


def base64_of(raw: bytes) -> str:
    """base64url without padding (RFC 4648 section 5)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes_of(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _root_over(trees: Sequence[Tree]) -> str:
    return root_of([tree.leaf for tree in trees]).hex()
