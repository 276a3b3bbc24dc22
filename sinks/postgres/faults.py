"""What an error from PostgreSQL asks for: try again, look for a poison record, or give up."""

import asyncpg

from sinks.errors import TransientError

# Classes of SQLSTATE (PostgreSQL manual, appendix A) that may pass: connection, transaction rollback, resources
# (the disk is full), operator intervention (shutdown, cancel), system error. 55P03 is a lock not had in time.
_TRANSIENT_CLASSES = frozenset({"08", "40", "53", "57", "58"})
_TRANSIENT_STATES = frozenset({"55P03"})

# Data exceptions and integrity violations: some record of the batch is at fault, whatever is tried.
_DATA_CLASSES = frozenset({"22", "23"})


# A statement prepared before a migration, which asyncpg prepares anew the next time; a protocol cut off in mid-use.
_PASSING = (asyncpg.InvalidCachedStatementError, asyncpg.InternalClientError)


def is_transient(error: Exception) -> bool:
    """Whether the same may succeed later: the server is away, busy, or rolled us back for another's sake."""
    if isinstance(error, _PASSING):
        return True
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        return state[:2] in _TRANSIENT_CLASSES or state in _TRANSIENT_STATES
    if isinstance(error, asyncpg.InterfaceError):
        return not is_data_fault(error)
    return isinstance(error, (TransientError, OSError, TimeoutError))


def is_data_fault(error: Exception) -> bool:
    """Whether a record of the batch cannot be stored, or not even be encoded for PostgreSQL."""
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "")[:2] in _DATA_CLASSES
    return isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError)
