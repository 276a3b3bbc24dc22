"""Bodies about the list of codes."""

from pydantic import Field

from schemas.error_list import Where
from schemas.http import EXTENSIBLE, Output


class ErrorOccurrence(Output):
    """A code where it is met: in an HTTP problem, as the reason of a FAILED transfer, as the cause of a dead letter, or
    on the command line."""

    where: Where = Field(json_schema_extra=EXTENSIBLE)
    statuses: list[int] = Field(description="Of HTTP, or exit statuses of the command. A code on a topic has none.")
    meaning: str
    next_step: str


class ErrorCode(Output):
    """A code of the closed list."""

    code: str
    occurrences: list[ErrorOccurrence]


class ErrorList(Output):
    """All codes, in their order."""

    data: list[ErrorCode]
