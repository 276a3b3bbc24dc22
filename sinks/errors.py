"""Errors of the sinks. A TransientError may pass when the same is tried again; any other may not."""


class SinkError(Exception):
    """The base of all errors raised by the sinks."""


class TransientError(SinkError):
    """A server was away, overloaded or in conflict. Try the same again."""


class MigrationError(SinkError):
    """The migrations and the database do not fit together. The message says what to do."""


class VersionConflictError(TransientError):
    """A wallet changed after it was read. The batch was rolled back; read again and decide again."""


class ProgressMovedError(SinkError):
    """Another worker has moved this partition's progress: it is no longer ours. Stop, and start afresh."""


class DatabaseAwayError(TransientError):
    """PostgreSQL cannot be had, or is not set up yet."""


class BrokerAwayError(TransientError):
    """Kafka did not confirm a record in time. It may still arrive: send the same again, under the same id."""


class NoSuchUserError(SinkError):
    """The account to which something was to belong does not exist."""


class ShorterTopicError(SinkError):
    """A topic ends before what has been worked on of it: Kafka has lost records. ``hfts recover`` mends it."""


class LedgerBehindError(SinkError):
    """Outcomes were told that the ledger does not have: it was restored. The next start makes good what is missing."""


class HistoryChangedError(SinkError):
    """The database has come back with another past, restored or from a standby: what we know of it may never have
    been. Start afresh."""


class CannotFollowError(SinkError):
    """A restored ledger cannot be brought to where the outcomes say it was. The message says what is in the way."""
