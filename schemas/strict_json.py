"""JSON whose meaning does not depend on the reader: keys are unique in every object (RFC 8259 section 4 leaves it
open)."""

import json
from typing import Any


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def loads_strict(raw: bytes) -> Any:
    """The document's value. Raises ValueError for text that is not UTF-8 or not JSON, for a key that stands twice,
    and for nesting beyond what the interpreter follows."""
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None
