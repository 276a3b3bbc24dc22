"""What a list is to be of."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypedDict

from hfts_client.amounts import AmountLike, amount_text
from hfts_client.orders import moment_text


class Filters(TypedDict, total=False):
    """All that are given must hold. Amounts are taken without their sign; ``_before`` is a moment too late."""

    amount_min: AmountLike
    amount_max: AmountLike
    completed_from: datetime
    completed_before: datetime
    requested_from: datetime
    requested_before: datetime
    reference: str
    metadata: Mapping[str, str]


_PLACES: dict[str, tuple[str, Callable[[Any], str]]] = {
    "amount_min": ("amount[gte]", amount_text),
    "amount_max": ("amount[lte]", amount_text),
    "completed_from": ("completed_at[gte]", moment_text),
    "completed_before": ("completed_at[lt]", moment_text),
    "requested_from": ("requested_at[gte]", moment_text),
    "requested_before": ("requested_at[lt]", moment_text),
    "reference": ("reference", str),
}
"""Where each stands in an address, and as what."""


def query_of(filters: Filters) -> dict[str, str]:
    """Their form in an address. Raises TypeError, also for a filter that there is not, and ValueError."""
    query: dict[str, str] = {}
    for name, value in filters.items():
        if name in _PLACES:
            place, text_of = _PLACES[name]
            query[place] = text_of(value)
        elif name != "metadata":
            raise TypeError(f"there is no filter {name!r}")
    query.update({f"metadata[{name}]": value for name, value in filters.get("metadata", {}).items()})
    return query
