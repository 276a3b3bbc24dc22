"""Many notifications in few lines: what came, went and failed, by currency, and the newest of them one by one."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from schemas.notifications import Notification
from schemas.transfers import HOLD, VOID
from sinks.delivery.words import headline, sum_text

LINES_MAX = 50


class Sum(msgspec.Struct, frozen=True):
    """Notifications of one sort and currency, together."""

    sort: str
    count: int
    total: str


class Digest(msgspec.Struct, frozen=True):
    """``lines`` are times and headlines, the newest first; ``left_out`` is how many more there were."""

    count: int
    since: datetime
    until: datetime
    sums: Sequence[Sum]
    lines: Sequence[tuple[str, str]]
    left_out: int


def digest_of(notifications: Sequence[Notification]) -> Digest:
    """Of at least one."""
    newest_first = sorted(notifications, key=lambda each: each.completed_at, reverse=True)
    totals: dict[tuple[str, str], tuple[int, Decimal]] = {}
    for each in newest_first:
        of = _sort(each), each.currency
        count, total = totals.get(of, (0, Decimal(0)))
        totals[of] = count + 1, total + Decimal(each.amount)
    return Digest(
        count=len(newest_first),
        since=newest_first[-1].completed_at,
        until=newest_first[0].completed_at,
        sums=[
            Sum(sort, count, sum_text(total, currency)) for (sort, currency), (count, total) in sorted(totals.items())
        ],
        lines=[(f"{each.completed_at:%Y-%m-%d %H:%M}", headline(each)) for each in newest_first[:LINES_MAX]],
        left_out=max(0, len(newest_first) - LINES_MAX),
    )


def _sort(notification: Notification) -> str:
    if notification.status == "FAILED":
        return "Failed"
    if notification.recipient == "receiver":
        return "Received"
    return {HOLD: "Held", VOID: "No longer held"}.get(str(notification.kind), "Sent")
