"""Where the chain of a partition goes on."""

import msgspec

from schemas.audit import GENESIS_HASH


class Link(msgspec.Struct, frozen=True):
    """The next sequence number, the hash of the record before, and the offset behind that one on the topic."""

    next_sequence: int = 0
    last_hash: str = GENESIS_HASH
    next_offset: int = 0
