"""What this process has counted, as Prometheus would read it."""

from prometheus_client import REGISTRY


class Since:
    """Counters from the moment it was made: metrics belong to the whole process, and other tests count, too."""

    def __init__(self) -> None:
        self._before = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in REGISTRY.collect()
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        """By how much this sample has grown."""
        now = REGISTRY.get_sample_value(name, labels) or 0.0
        return now - self._before.get((name, frozenset(labels.items())), 0.0)
