"""One event every two seconds, made once and sent to every stream."""

import asyncio
import time
from collections import deque
from typing import Any

import orjson

from ops.dashboard.columns import column
from ops.dashboard.follower import OutcomeFollower
from ops.dashboard.history import SPAN_S, History
from ops.dashboard.streams import Streams
from ops.lag.report import LagReport, PartitionLag
from ops.lag.waiting import Money, Waiting
from ops.monitor.last_reconcile import ReconcileWatch, Run
from ops.monitor.watch import LagWatch
from ops.monitor.worker_watch import WorkerWatch
from schemas.transfers import format_time

INTERVAL_S = 2.0
LATENCY_POINTS_MAX = int(SPAN_S / INTERVAL_S)


class Pulse:
    """Makes events, and lets streams wait for the next one."""

    def __init__(
        self,
        *,
        lag: LagWatch,
        history: History,
        outcomes: OutcomeFollower,
        workers: WorkerWatch,
        reconcile: ReconcileWatch,
        streams: Streams,
    ) -> None:
        self._lag = lag
        self._history = history
        self._outcomes = outcomes
        self._workers = workers
        self._reconcile = reconcile
        self._streams = streams
        self._latencies: deque[tuple[float, list[float] | None]] = deque(maxlen=LATENCY_POINTS_MAX)
        self._number = 0
        self._event = b""
        self._changed = asyncio.Condition()

    async def run(self) -> None:
        """Make an event now and then, as long as a stream is open, until cancelled."""
        while True:
            await self._streams.opened()
            now_s = time.time()
            self._note_latencies(now_s)
            self._event = encode_event("look", self._look_json(now_s))
            async with self._changed:
                self._number += 1
                self._changed.notify_all()
            await asyncio.sleep(INTERVAL_S)

    async def event_after(self, number: int) -> tuple[int, bytes]:
        """The newest event and its number, as soon as that is above ``number``; those between are left out."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._number > number)
            return self._number, self._event

    def first_event(self) -> tuple[int, bytes]:
        """What a page begins with: everything, and what the last quarter of an hour has shown."""
        now_s = time.time()
        document = self._look_json(now_s) | {
            "history": self._history.as_json(),
            "latencies": {
                "at": [round(at_s * 1000) for at_s, _ in self._latencies],
                "s": [found for _, found in self._latencies],
            },
        }
        return self._number, encode_event("start", document)

    def _note_latencies(self, now_s: float) -> None:
        self._latencies.append((now_s, self._outcomes.sums.latencies_s(now_s)))
        while now_s - self._latencies[0][0] > SPAN_S:
            self._latencies.popleft()

    def _look_json(self, now_s: float) -> dict[str, Any]:
        seen, run = self._lag.seen, self._reconcile.last
        return {
            "now": round(now_s * 1000),
            "at": None if seen is None else round(seen.at_s * 1000),
            "lag_failures": self._lag.failures,
            "groups": [] if seen is None else self._groups_json(seen.look.report, seen.look.waiting),
            "money": None if seen is None else _money_json(seen.look.waiting.money),
            "outcomes": {
                "state": self._outcomes.state,
                "since": round(self._outcomes.since_s * 1000),
                **self._outcomes.sums.as_json(now_s),
            },
            "workers": self._workers.as_json(),
            "reconcile": None if run is None else _run_json(run),
        }

    def _groups_json(self, report: LagReport, waiting: Waiting) -> list[dict[str, Any]]:
        return [self._group_json(group, report.of_group(group), waiting) for group in report.groups]

    def _group_json(self, group: str, found: list[PartitionLag], waiting: Waiting) -> dict[str, Any]:
        rates = self._history.rates(group)
        ages_s = [waiting.ages_s.get(lag.where, 0.0) for lag in found]
        return {
            "group": group,
            "topic": found[0].topic,
            "total": str(sum(lag.lag for lag in found)),
            "oldest_s": round(max(ages_s), 1),
            "per_s_in": rates.per_s_in,
            "per_s_out": rates.per_s_out,
            "partition": column(lag.partition for lag in found),
            "lag": column(lag.lag for lag in found),
            "end": column(lag.end for lag in found),
            "next": column(lag.next for lag in found),
            "committed": column(lag.committed for lag in found),
            "waits_s": " ".join([f"{max(0.1, age_s):.1f}" if age_s else "0" for age_s in ages_s]),
        }


def encode_event(name: str, document: dict[str, Any]) -> bytes:
    """A server-sent event; JSON has no line breaks of its own."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(document))


def _money_json(money: Money) -> dict[str, Any]:
    told = money.as_json()
    return told | {"records": str(money.records), "unreadable": str(money.unreadable)}


def _run_json(run: Run) -> dict[str, Any]:
    return {
        "started_at": format_time(run.started_at),
        "finished_at": format_time(run.finished_at),
        "passed": run.passed,
        "invariants": [
            {
                **{name: finding[name] for name in ("title", "verdict", "examples")},
                **{name: str(finding[name]) for name in ("checked", "faults", "pending")},
            }
            for finding in run.report["invariants"]
        ],
    }
