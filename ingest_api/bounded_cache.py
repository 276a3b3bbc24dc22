"""A mapping that forgets what has not been used for longest."""

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class BoundedCache(Generic[K, V]):
    """Holds at most ``size_max`` items."""

    def __init__(self, size_max: int) -> None:
        self._size_max = size_max
        self._items: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: K) -> V | None:
        """The item, which counts as a use of it, or None."""
        item = self._items.get(key)
        if item is not None:
            self._items.move_to_end(key)
        return item

    def put(self, key: K, item: V) -> None:
        """Hold the item, if need be in place of the one that has not been used for longest."""
        self._items[key] = item
        self._items.move_to_end(key)
        if len(self._items) > self._size_max:
            self._items.popitem(last=False)
