"""Events for the page that no server has sent: many partitions, and numbers that JSON readers would round."""

import json
import time
from typing import Any

BEYOND_2_53 = 2**53 + 1


def event_stream(partitions: int, *, lag: int, busy: bool = True) -> str:
    """A page's first event: so many partitions, each with about this lag."""
    return f"event: start\ndata: {json.dumps(_start(partitions, lag, busy=busy))}\n\n"


def _start(partitions: int, lag: int, *, busy: bool) -> dict[str, Any]:
    now = round(time.time() * 1000)
    groups = [_group(name, topic, partitions, lag) for name, topic in GROUPS]
    at = [now - 2000 * back for back in range(449, -1, -1)]
    history = {"lag": " ".join(["7"] * 450), "oldest_s": [1.0] * 450, "per_s_in": [5.0] * 450, "per_s_out": [4.0] * 450}
    return {
        "now": now,
        "at": now,
        "lag_failures": 0,
        "groups": groups,
        "money": {"amounts": {"USD": "99999999999999.9999"}, "records": "3", "unreadable": "0", "is_all": True},
        "outcomes": {
            "state": "following",
            "since": now - 1000,
            "window_s": 300,
            "latency_window_s": 60,
            "latency_s": [0.031, 0.09, 0.4],
            "latency_count": str(BEYOND_2_53),
            "read": "100",
            "passed_over": "300" if busy else "0",
            "completed": "90",
            "failed": [["insufficient_funds", "10"]],
            "wallets": [],
        },
        "workers": {"is_away": False, "conflicts_per_s": 0.5, "live": 0, "rows": []},
        "reconcile": None,
        "history": {"at": at, "groups": {name: history for name, _ in GROUPS}},
        "latencies": {"at": at, "s": [[0.03, 0.08, 0.3]] * 450},
    }


GROUPS = (
    ("hfts-transfers", "transfers.requested"),
    ("hfts-notifications", "transfers.outcomes"),
    ("hfts-audit", "transfers.outcomes"),
    ("hfts-deliveries", "notifications"),
)


def _group(name: str, topic: str, partitions: int, lag: int) -> dict[str, Any]:
    lags = [lag * 10 ** (number % 5) for number in range(partitions)]
    nexts = [BEYOND_2_53 + number for number in range(partitions)]
    return {
        "group": name,
        "topic": topic,
        "total": str(sum(lags)),
        "oldest_s": 12.5,
        "per_s_in": 100.0,
        "per_s_out": 90.5,
        "partition": " ".join(map(str, range(partitions))),
        "lag": " ".join(map(str, lags)),
        "end": " ".join(str(offset + behind) for offset, behind in zip(nexts, lags, strict=True)),
        "next": " ".join(map(str, nexts)),
        "committed": " ".join(["-", *map(str, nexts[1:])]),
        "waits_s": " ".join(["12.5"] * partitions),
    }
