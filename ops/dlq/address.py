"""Where a dead letter stands."""

import re
from typing import NamedTuple

_ADDRESS = re.compile(r"([0-9]{1,10}):([0-9]{1,19})", re.ASCII)
_BIGINT_MAX = 2**63 - 1
_INTEGER_MAX = 2**31 - 1


class Address(NamedTuple):
    """Partition and offset on the dead-letter topic."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


def parse_address(text: str) -> Address:
    """The address of a text such as ``3:17``. Raises ValueError."""
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found[1]) > _INTEGER_MAX or int(found[2]) > _BIGINT_MAX:
        raise ValueError(f"{text[:50]!r} is not a letter's address: write PARTITION:OFFSET, as in 3:17")
    return Address(int(found[1]), int(found[2]))
