"""How long to wait before a part that died is started again."""

FIRST_DELAY_S = 0.2
DELAY_S_MAX = 5.0
STEADY_AFTER_S = 15.0
"""A part that ran this long starts again at the first delay when it dies."""


class Backoff:
    """0.2 s, 0.4 s, 0.8 s … 5 s, from the start again after a long run."""

    def __init__(self) -> None:
        self._deaths = 0

    def delay_s(self, ran_s: float) -> float:
        """The wait after a run of ``ran_s`` seconds has ended."""
        if ran_s >= STEADY_AFTER_S:
            self._deaths = 0
        delay = min(DELAY_S_MAX, FIRST_DELAY_S * 2 ** min(self._deaths, 10))
        self._deaths += 1
        return float(delay)
