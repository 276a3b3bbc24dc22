"""Errors of the embedded stack."""

from ops.errors import CommandError
from schemas.codes import CliCode


class StackError(CommandError):
    """The stack cannot start or run. The message says what is wrong and what to do."""

    code = CliCode.STACK_FAILED
