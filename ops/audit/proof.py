"""A proof that a record is among those that a checkpoint has signed: all that a third party needs to check it. Pure."""

from collections.abc import Sequence
from typing import Any

import msgspec

from schemas.checkpoints import Checkpoint
from schemas.merkle import inclusion_path

PROOF_TYPE = "hfts-audit-proof-1"


def proof_of(record: dict[str, Any], path: Sequence[bytes], partition: int, checkpoint: Checkpoint) -> dict[str, Any]:
    """The proof as a JSON object.

    ``path`` leads from the record to the root of its partition's tree; from there another leads to the root over all
    partitions, which is signed. Of other records and partitions it holds hashes alone.
    """
    leaves = [tree.leaf for tree in checkpoint.trees]
    return {
        "type": PROOF_TYPE,
        "record": record,
        "path": [sibling.hex() for sibling in path],
        "tree": msgspec.structs.asdict(checkpoint.tree(partition)),
        "partitions_path": [sibling.hex() for sibling in inclusion_path(leaves, partition)],
        "statement": msgspec.structs.asdict(checkpoint.statement),
        "signature": checkpoint.signature,
    }
