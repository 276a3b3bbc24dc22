"""Errors of the sinks. A TransientError may pass when the same is tried again; any other may not."""


class SinkError(Exception):
    """The base of all errors raised by the sinks."""


class TransientError(SinkError):
    """A server was away, overloaded or in conflict. Try the same again."""


class MigrationError(SinkError):
    """The migrations and the database do not fit together. The message says what to do."""
