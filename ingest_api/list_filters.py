"""The filters of a query as the directory knows them."""

from decimal import Decimal

from schemas.http_reading import ListQuery
from sinks.directory.filters import AMOUNT_MAX, MOMENT_MAX, MOMENT_MIN, Filters


def filters_of(query: ListQuery, status: str | None = None) -> Filters:
    """What the query asks for."""
    return Filters(
        status=status,
        amount_min=Decimal(query.amount_min or 0),
        amount_max=AMOUNT_MAX if query.amount_max is None else Decimal(query.amount_max),
        completed_from=query.completed_from or MOMENT_MIN,
        completed_before=query.completed_before or MOMENT_MAX,
        requested_from=query.requested_from or MOMENT_MIN,
        requested_before=query.requested_before or MOMENT_MAX,
        reference=query.reference,
        metadata=query.metadata or None,
    )
