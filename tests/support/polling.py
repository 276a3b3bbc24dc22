"""Waiting for what another process does, which no event of ours tells."""

from collections.abc import Callable

import stamina


def wait_until(holds: Callable[[], bool], what: str, timeout_s: float = 60.0) -> None:
    """Ask every 0.1 s, for a bounded time. Raises AssertionError with ``what`` when it never held."""
    attempts = stamina.retry_context(
        on=_NotYetError, attempts=None, timeout=timeout_s, wait_initial=0.1, wait_max=0.1, wait_jitter=0.0
    )
    for attempt in attempts:
        with attempt:
            if not holds():
                raise _NotYetError(what)


class _NotYetError(AssertionError):
    """It does not hold yet."""
