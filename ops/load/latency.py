"""Exact percentiles of latencies."""

import math
from array import array
from collections.abc import Sequence

QUANTILES = (0.5, 0.9, 0.99, 0.999)


class Latencies:
    """Every latency seen, in seconds: 8 bytes each, and exact."""

    def __init__(self) -> None:
        self._seconds = array("d")

    def __len__(self) -> int:
        return len(self._seconds)

    def add(self, latency_s: float) -> None:
        """Note one."""
        self._seconds.append(latency_s)

    def percentiles_s(self, quantiles: Sequence[float] = QUANTILES) -> dict[str, float | None]:
        """By name (``p50``, ``p99.9``): the smallest latency that this share does not exceed; None without any."""
        ordered = sorted(self._seconds)
        return {name_of(q): ordered[max(0, math.ceil(q * len(ordered)) - 1)] if ordered else None for q in quantiles}

    @property
    def max_s(self) -> float | None:
        """The longest."""
        return max(self._seconds, default=None)


def name_of(quantile: float) -> str:
    """0.999 → ``p99.9``."""
    return f"p{quantile * 100:.6g}"
