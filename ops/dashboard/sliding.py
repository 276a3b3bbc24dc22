"""Counts of what happened within the last seconds, however much it was. Pure."""

from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Generic, TypeVar

K = TypeVar("K")


class SlidingCounts(Generic[K]):
    """Counts by key over ``window_s`` whole seconds. Of each second the ``keys_max`` most frequent keys are kept."""

    def __init__(self, window_s: int, keys_max: int | None = None) -> None:
        self._window_s = window_s
        self._keys_max = keys_max
        self._seconds: OrderedDict[int, Counter[K]] = OrderedDict()
        self._total: Counter[K] = Counter()

    def add(self, second: int, counts: Mapping[K, int]) -> None:
        """Count what happened in this second, which may be over already."""
        held = self._seconds.setdefault(second, Counter())
        held.update(counts)
        self._total.update(counts)
        if self._keys_max is not None and len(held) > 2 * self._keys_max:
            kept = Counter(dict(held.most_common(self._keys_max)))
            self._forget(held - kept)
            self._seconds[second] = kept

    def at(self, now_s: float) -> Counter[K]:
        """The counts within the window that ends now. Not a copy: leave it as it is."""
        for second in [second for second in self._seconds if second <= now_s - self._window_s]:
            self._forget(self._seconds.pop(second))
        return self._total

    def _forget(self, counts: Mapping[K, int]) -> None:
        for key, count in counts.items():
            left = self._total[key] - count
            if left:
                self._total[key] = left
            else:
                del self._total[key]
