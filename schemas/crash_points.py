"""Points between two steps at which a process can be told to end itself, so that a test hits every gap on purpose."""

from enum import StrEnum
from typing import NamedTuple


class CrashPoint(StrEnum):
    """A gap between two steps."""

    # Of the agents, in the order they pass them; those that do not publish, or do not write to the database, pass by.
    WITHIN_FENCE = "within_fence"
    """The first transaction of a takeover has ended; whether its markers are written is open."""
    AFTER_FENCE = "after_fence"
    """Predecessors can write no more; what they have written is not read yet."""
    AFTER_RESUME = "after_resume"
    """It is known where to go on; nothing is read yet."""
    AFTER_DECODE = "after_decode"
    BEFORE_COMMIT = "before_commit"
    """Everything is written in the ledger's transaction, which is still open; or is delivered and not noted."""
    AFTER_COMMIT = "after_commit"
    """It is committed, or noted."""
    BEFORE_PUBLISH = "before_publish"
    WITHIN_PUBLISH = "within_publish"
    """Records are handed to the sender, and whether the brokers have them is open."""
    AFTER_PUBLISH = "after_publish"
    """The brokers have confirmed everything; nothing is acknowledged yet."""
    AFTER_ACK = "after_ack"
    """Acknowledged; the group's offset is not committed yet."""

    # Of the deliverer.
    AFTER_CLAIM = "after_claim"
    """The try of a delivery is counted; nothing is sent yet."""
    AFTER_HANDOVER = "after_handover"
    """The recipient's server has accepted it; nobody has noted that yet."""
    AFTER_NOTE = "after_note"
    """What became of it is noted."""

    # Of the API.
    BEFORE_ACCEPT = "before_accept"
    """A request is checked and not sent to the brokers yet."""
    AFTER_ACCEPT = "after_accept"
    """The brokers have a request and its producer has no answer yet."""


class Crash(NamedTuple):
    """At which point, the number of the time it is passed, and whether the process ends there or stops (SIGSTOP)."""

    point: CrashPoint
    passes: int
    stops: bool


def parse_crash(text: str) -> Crash | None:
    """From ``after_commit`` (end there), ``after_commit:3`` (the third time) or ``after_commit:1:stop``.

    None for an empty text. Raises ValueError.
    """
    if not text:
        return None
    name, _, rest = text.partition(":")
    passes, _, what = rest.partition(":")
    if what not in ("", "stop") or (passes and (not passes.isascii() or not passes.isdecimal() or int(passes) < 1)):
        raise ValueError(f"a crash point is NAME, NAME:N or NAME:N:stop, not {text!r}")
    return Crash(CrashPoint(name), int(passes or "1"), what == "stop")
