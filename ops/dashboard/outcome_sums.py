"""What the outcomes of the last minutes come to: how long they took, why some failed, which wallets are busiest. Pure.

They are counted at the second in which the broker took them, so that those from before the page was opened count too.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import nlargest
from typing import Any

import msgspec

from ops.dashboard.durations import bucket_of, percentiles_s
from ops.dashboard.sliding import SlidingCounts
from sinks.kafka.records import Consumed

LATENCY_WINDOW_S = 60
WINDOW_S = 300
"""For failures and wallets, which are rarer."""

PERCENTILES = (50.0, 95.0, 99.0)

REASONS_MAX = 32
"""More than there are codes."""

WALLETS_PER_S_MAX = 100
"""Of each second: a wallet that is busy for minutes is among them again and again."""

WALLETS_SHOWN_MAX = 10
COMPLETED = "COMPLETED"
UNREADABLE = "unreadable"


class _Told(msgspec.Struct, gc=False):
    """The part of an outcome that is counted; the rest is not decoded."""

    source_wallet_id: str
    destination_wallet_id: str
    reason: str | None
    requested_at: datetime
    completed_at: datetime


_DECODER = msgspec.json.Decoder(_Told)


@dataclass(slots=True)
class _Second:
    latencies: Counter[int] = field(default_factory=Counter)
    results: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    received: Counter[str] = field(default_factory=Counter)

    def add(self, told: _Told) -> None:
        took = told.completed_at - told.requested_at
        self.latencies[bucket_of(took.total_seconds())] += 1
        self.results[told.reason or COMPLETED] += 1
        self.sent[told.source_wallet_id] += 1
        self.received[told.destination_wallet_id] += 1


class OutcomeSums:
    """Takes in outcome records; a failed transfer counts as its wallets' too."""

    def __init__(self) -> None:
        self._latencies = SlidingCounts[int](LATENCY_WINDOW_S)
        self._results = SlidingCounts[str](WINDOW_S, REASONS_MAX)
        self._sent = SlidingCounts[str](WINDOW_S, WALLETS_PER_S_MAX)
        self._received = SlidingCounts[str](WINDOW_S, WALLETS_PER_S_MAX)
        self._passed_over = SlidingCounts[str](WINDOW_S)

    def add(self, records: Sequence[Consumed]) -> None:
        """Count these."""
        seconds: defaultdict[int, _Second] = defaultdict(_Second)
        for record in records:
            second = seconds[record.timestamp // 1000]
            try:
                second.add(_DECODER.decode(record.value or b""))
            except msgspec.MsgspecError:  # somebody else has written it: reconcile says where
                second.results[UNREADABLE] += 1
        for at, second in seconds.items():
            self._latencies.add(at, second.latencies)
            self._results.add(at, second.results)
            self._sent.add(at, second.sent)
            self._received.add(at, second.received)

    def pass_over(self, second: int, offsets: int) -> None:
        """So many offsets were not read, for there was too much of it."""
        if offsets:
            self._passed_over.add(second, {"": offsets})

    def latencies_s(self, now_s: float) -> list[float] | None:
        """The percentiles of the last minute, or None where nothing was seen in it."""
        return percentiles_s(self._latencies.at(now_s), PERCENTILES)

    def as_json(self, now_s: float) -> dict[str, Any]:
        """All sums; counts are decimal text."""
        results = self._results.at(now_s)
        latencies = self._latencies.at(now_s)
        # Equal ones by name, so that they do not change places.
        failed = sorted((-count, reason) for reason, count in results.items() if reason != COMPLETED)
        return {
            "window_s": WINDOW_S,
            "latency_window_s": LATENCY_WINDOW_S,
            "latency_s": percentiles_s(latencies, PERCENTILES),
            "latency_count": str(latencies.total()),
            "read": str(results.total()),
            "passed_over": str(self._passed_over.at(now_s).total()),
            "completed": str(results[COMPLETED]),
            "failed": [[reason, str(-count)] for count, reason in failed],
            "wallets": self._hottest(now_s),
        }

    def _hottest(self, now_s: float) -> list[dict[str, str]]:
        sent, received = self._sent.at(now_s), self._received.at(now_s)

        def legs(wallet_id: str) -> int:
            return sent[wallet_id] + received[wallet_id]

        # Whoever is among the busiest in sum is so on one side, or is just below on both.
        candidates = {
            wallet_id
            for side in (sent, received)
            for wallet_id, _ in nlargest(10 * WALLETS_SHOWN_MAX, side.items(), key=lambda item: item[1])
        }
        hottest = sorted(candidates, key=lambda wallet_id: (-legs(wallet_id), wallet_id))[:WALLETS_SHOWN_MAX]
        return [
            {"wallet_id": wallet_id, "sent": str(sent[wallet_id]), "received": str(received[wallet_id])}
            for wallet_id in hottest
        ]
