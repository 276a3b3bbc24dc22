"""Who pays whom: pairs of wallets by number, drawn from a seed, the same for every contender."""

from bisect import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import TypeAlias

SEED = 20_000

Drawer: TypeAlias = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Workload:
    """``count`` transfers between ``wallets`` wallets.

    ``hot_share`` of them have wallet 0 as ``hot_side`` (source or destination); ``failing_share`` ask for more than
    anyone has; with ``zipf`` above 0, wallet *n* is drawn in proportion to 1/n**zipf.
    """

    name: str
    wallets: int
    count: int
    hot_share: float = 0.0
    hot_side: str = "destination"
    failing_share: float = 0.0
    zipf: float = 0.0

    def pairs(self) -> Iterator[tuple[int, int, bool]]:
        """Source, destination, and whether it asks for too much; source and destination always differ."""
        random = Random(SEED)  # noqa: S311 (a workload, no secret)
        draw = self._drawer(random)
        for _ in range(self.count):
            source, destination = draw(), draw()
            if random.random() < self.hot_share:
                source, destination = (0, destination) if self.hot_side == "source" else (source, 0)
            if source == destination:
                other = (source + 1) % self.wallets
                source, destination = (source, other) if self.hot_side == "source" else (other, destination)
            yield source, destination, random.random() < self.failing_share

    def _drawer(self, random: Random) -> Drawer:
        if not self.zipf:
            return lambda: int(random.random() * self.wallets)
        weights = list(accumulate(1 / (rank + 1) ** self.zipf for rank in range(self.wallets)))
        return lambda: bisect(weights, random.random() * weights[-1], hi=self.wallets - 1)
