"""Waiting for the database: the same again, after a growing pause, for as long as the fault may pass."""

from collections.abc import AsyncIterable

import stamina
import structlog

from sinks.postgres.faults import is_transient

DELAY_S_FIRST = 0.05
DELAY_S_MAX = 2.0

_log = structlog.get_logger(__name__)


def until_done() -> AsyncIterable[stamina.Attempt]:
    """Attempts without end, paused by 0.05 s to 2 s with jitter, each failure logged; other errors pass through."""
    return stamina.retry_context(
        on=_worth_retrying,
        attempts=None,
        timeout=None,
        wait_initial=DELAY_S_FIRST,
        wait_max=DELAY_S_MAX,
        wait_jitter=DELAY_S_FIRST,
    )


def describe(error: BaseException) -> str:
    """The error in one line. Its detail stays out: PostgreSQL quotes the row there."""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _worth_retrying(error: Exception) -> bool:
    transient = is_transient(error)
    if transient:
        _log.warning("postgres.retry", error=describe(error))
    return transient
