"""How much the log may grow by requests that go wrong: of a flood, a few lines tell as much as all of them."""

import time
from collections.abc import Callable


class LogBudget:
    """Lets so many lines through in each second, and counts the others."""

    def __init__(self, lines_max: int, now_s: Callable[[], float] = time.monotonic) -> None:
        self._lines_max = lines_max
        self._now_s = now_s
        self._second_ends_s = 0.0
        self._lines = 0
        self._left_out = 0

    def take(self) -> int | None:
        """How many were left out since the last line that was let through, or None: this one is left out too."""
        now_s = self._now_s()
        if now_s >= self._second_ends_s:
            self._second_ends_s, self._lines = now_s + 1, 0
        if self._lines == self._lines_max:
            self._left_out += 1
            return None
        self._lines += 1
        left_out, self._left_out = self._left_out, 0
        return left_out
