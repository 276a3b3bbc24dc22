"""Errors of the embedded stack."""

from ops.errors import CommandError


class StackError(CommandError):
    """The stack cannot start or run. The message says what is wrong and what to do."""
