"""Counts what has become of requests: a batch at a time, when it cannot be undone any more."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence

import prometheus_client

from sinks.ledger.types import Transfer
from streams.metrics import APPLIED, DEAD_LETTERS, END_TO_END_SECONDS, FAILED


def count_committed(transfers: Sequence[Transfer]) -> None:
    """These are in the ledger now, for the first time."""
    reasons = [transfer.reason for transfer in transfers if transfer.reason is not None]
    APPLIED.inc(len(transfers) - len(reasons))
    _count(FAILED, reasons)


def count_dead_letters(causes: Iterable[str]) -> None:
    """Letters with these causes are on their topic now."""
    _count(DEAD_LETTERS, causes)


def count_told(came_ms: list[int]) -> None:
    """The outcomes of requests that came at these times, in milliseconds since 1970, are on their topic now."""
    END_TO_END_SECONDS.observe(came_ms, time.time_ns() // 1_000_000)


def _count(counter: prometheus_client.Counter, labels: Iterable[str]) -> None:
    for label, times in Counter(labels).items():
        counter.labels(label).inc(times)
