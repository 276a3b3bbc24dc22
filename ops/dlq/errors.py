"""What stops work on dead letters. Each message says what to do."""

from ops.errors import CommandError
from schemas.codes import CliCode


class DeadLetterError(CommandError):
    """What was asked for cannot be done, or not now."""

    code = CliCode.LETTER_NOT_REPLAYABLE


class NoLetterError(DeadLetterError):
    """There is no letter at this address, or no such partition. List what there is."""

    code = CliCode.LETTER_NOT_FOUND


class BusyError(DeadLetterError):
    """Another command is replaying or discarding. Wait until it ends."""

    code = CliCode.LETTERS_BUSY


class OvertakenError(DeadLetterError):
    """Another replay has begun and shut this one out. Nothing of the last transaction was published."""

    code = CliCode.LETTERS_BUSY


class UnconfirmedError(DeadLetterError):
    """Kafka did not confirm a transaction in time. The next command finds out what became of it."""

    code = CliCode.BROKER_UNAVAILABLE
