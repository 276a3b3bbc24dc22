"""What a command says when it cannot go on."""

from schemas.codes import CliCode


class CommandError(Exception):
    """One line for the person at the terminal: what is wrong and what to do. The command ends with exit status 1.

    ``code`` is what a script may look at.
    """

    code = CliCode.COMMAND_REFUSED

    def __init__(self, message: str, code: CliCode | None = None) -> None:
        super().__init__(message)
        self.code = code or type(self).code
