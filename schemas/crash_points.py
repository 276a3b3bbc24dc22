"""Points between two steps at which a process can be told to end itself, so that a test hits every gap on purpose."""

from enum import StrEnum


class CrashPoint(StrEnum):
    """A gap between two steps. ``CRASH_POINT=after_commit`` ends a process there, ``after_commit:3`` the third time."""

    # Of every agent, in the order it passes them.
    AFTER_FENCE = "after_fence"
    """Predecessors can write no more; what they have written is not read yet."""
    AFTER_RESUME = "after_resume"
    """It is known where to go on; nothing is read yet."""
    AFTER_DECODE = "after_decode"
    BEFORE_COMMIT = "before_commit"
    """Everything is written in the database's transaction, which is still open. Of the transfers agent only."""
    AFTER_COMMIT = "after_commit"
    """Of the transfers agent only."""
    BEFORE_PUBLISH = "before_publish"
    WITHIN_PUBLISH = "within_publish"
    """Records are handed to the sender, and whether the brokers have them is open."""
    AFTER_PUBLISH = "after_publish"
    """The brokers have confirmed everything; nothing is acknowledged yet."""
    AFTER_ACK = "after_ack"
    """Acknowledged; the group's offset is not committed yet."""

    # Of the API.
    BEFORE_ACCEPT = "before_accept"
    """A request is checked and not sent to the brokers yet."""
    AFTER_ACCEPT = "after_accept"
    """The brokers have a request and its producer has no answer yet."""
