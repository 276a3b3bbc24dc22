"""What stops an export, a query or a balance, beside servers that are away."""

from ops.errors import CommandError
from schemas.codes import CliCode


class BrokenChainError(CommandError):
    """A record of the audit topic does not follow from the one before it."""

    code = CliCode.AUDIT_CHAIN_BROKEN


class DamagedExportError(CommandError):
    """A folder does not hold what exports have written there."""

    code = CliCode.EXPORT_DAMAGED


class ExportBusyError(CommandError):
    """Another export writes to the same folder."""

    code = CliCode.EXPORT_BUSY


class QueryError(CommandError):
    """A query is refused, or is no query."""

    code = CliCode.QUERY_REFUSED


class PackageMissingError(CommandError):
    """What analysts need is not installed."""

    code = CliCode.PACKAGE_MISSING
