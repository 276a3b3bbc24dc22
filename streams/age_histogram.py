"""A histogram of how long records have waited, which takes those of a batch at once."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector


class AgeHistogram(Collector):
    """Counts ages in seconds. prometheus_client's own histogram takes microseconds for each value, this one a few
    hundredths of one. For use in one thread."""

    def __init__(
        self, name: str, documentation: str, bounds_s: Sequence[float], registry: CollectorRegistry = REGISTRY
    ) -> None:
        self._name = name
        self._documentation = documentation
        self._bounds = [*map(str, bounds_s), "+Inf"]
        self._bounds_ms = [round(1000 * bound_s) for bound_s in bounds_s]
        self._within = [0] * len(self._bounds)
        self._sum_ms = 0
        registry.register(self)

    def observe(self, came_ms: list[int], now_ms: int) -> None:
        """Count what came at these times and is done now, all in milliseconds since 1970.

        Sorts the list. What came before 1970 has no time and is left out; what came later than now came now.
        """
        came_ms.sort()
        del came_ms[: bisect_left(came_ms, 0)]
        for place, bound_ms in enumerate(self._bounds_ms):
            self._within[place] += len(came_ms) - bisect_left(came_ms, now_ms - bound_ms)
        self._within[-1] += len(came_ms)
        self._sum_ms += max(0, len(came_ms) * now_ms - sum(came_ms))

    def collect(self) -> Iterable[Metric]:
        """The one histogram."""
        buckets: list[tuple[str, float]] = list(zip(self._bounds, self._within, strict=True))
        family = HistogramMetricFamily(self._name, self._documentation)
        family.add_metric([], buckets=buckets, sum_value=self._sum_ms / 1000)
        yield family
