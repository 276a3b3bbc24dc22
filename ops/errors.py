"""What a command says when it cannot go on."""


class CommandError(Exception):
    """One line for the person at the terminal: what is wrong and what to do. The command ends with exit status 1."""
