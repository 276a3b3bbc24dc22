"""What a list is to be of."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict

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


def query_of(filters: Filters) -> dict[str, str]:
    """Their form in an address. Raises TypeError and ValueError."""
    query: dict[str, str] = {}
    if "amount_min" in filters:
        query["amount[gte]"] = amount_text(filters["amount_min"])
    if "amount_max" in filters:
        query["amount[lte]"] = amount_text(filters["amount_max"])
    if "completed_from" in filters:
        query["completed_at[gte]"] = moment_text(filters["completed_from"])
    if "completed_before" in filters:
        query["completed_at[lt]"] = moment_text(filters["completed_before"])
    if "requested_from" in filters:
        query["requested_at[gte]"] = moment_text(filters["requested_from"])
    if "requested_before" in filters:
        query["requested_at[lt]"] = moment_text(filters["requested_before"])
    if "reference" in filters:
        query["reference"] = filters["reference"]
    for name, value in filters.get("metadata", {}).items():
        query[f"metadata[{name}]"] = value
    return query
