import asyncpg
import pytest

from sinks.errors import ProgressMovedError, VersionConflictError
from sinks.postgres.faults import is_data_fault, is_transient


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.ConnectionDoesNotExistError(),
        asyncpg.CannotConnectNowError(),
        asyncpg.AdminShutdownError(),
        asyncpg.CrashShutdownError(),
        asyncpg.DeadlockDetectedError(),
        asyncpg.SerializationError(),
        asyncpg.LockNotAvailableError(),
        asyncpg.QueryCanceledError(),
        asyncpg.DiskFullError(),
        asyncpg.TooManyConnectionsError(),
        asyncpg.InvalidCachedStatementError(),
        asyncpg.InterfaceError("connection is closed"),
        ConnectionRefusedError(),
        TimeoutError(),
        VersionConflictError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_faults_that_may_pass(error: Exception) -> None:
    assert is_transient(error)
    assert not is_data_fault(error)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.CheckViolationError(),
        asyncpg.UniqueViolationError(),
        asyncpg.NumericValueOutOfRangeError(),
        asyncpg.CharacterNotInRepertoireError(),
        asyncpg.DataError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_faults_of_a_record(error: Exception) -> None:
    assert is_data_fault(error)
    assert not is_transient(error)


@pytest.mark.parametrize(
    "error",
    [asyncpg.UndefinedTableError(), asyncpg.InsufficientPrivilegeError(), ProgressMovedError(), KeyError()],
    ids=lambda error: type(error).__name__,
)
def test_faults_that_nothing_here_mends(error: Exception) -> None:
    assert not is_transient(error)
    assert not is_data_fault(error)
