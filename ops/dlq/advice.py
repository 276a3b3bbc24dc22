"""What each cause means, and what an operator does next."""

from ops.dlq.actions import Known
from ops.dlq.letters import UNREADABLE
from ops.dlq.selection import State
from schemas.codes import DeadLetterCause

_MEND_THE_PRODUCER = (
    "The bytes stay as they are, so a replay fails again. Have the producer mended, let it send the transfer again, "
    "then: hfts dlq discard {address} --reason '...'"
)
_NEXT: dict[str, str] = {
    DeadLetterCause.UNDECODABLE: _MEND_THE_PRODUCER,
    DeadLetterCause.INVALID_REQUEST: _MEND_THE_PRODUCER,
    DeadLetterCause.WRONG_KEY: _MEND_THE_PRODUCER,
    DeadLetterCause.TRANSFER_ID_REUSED: (
        "Compare it with the transfer that has its id. If this one is wanted too, the producer sends it under a new "
        "id. Then: hfts dlq discard {address} --reason '...'"
    ),
    DeadLetterCause.UNSIGNED_REQUEST: _MEND_THE_PRODUCER,
    DeadLetterCause.INVALID_SIGNATURE: (
        "If its key is to be trusted, add it to REQUEST_VERIFY_KEYS, start the workers anew, then: hfts dlq replay "
        "{address}. Otherwise somebody has forged it; keep it, or: hfts dlq discard {address} --reason '...'"
    ),
    DeadLetterCause.UNPROCESSABLE: "Mend what the detail names in the ledger, then: hfts dlq replay {address}",
}
_EXPLAINED = {str(cause): cause.meaning for cause in DeadLetterCause}
_OTHER = "Mend what the detail names, then: hfts dlq replay {address}"


def explain_cause(cause: str) -> str:
    """A sentence or two on a cause."""
    if cause == UNREADABLE:
        return "The headers are not those that a worker adds: something else wrote this record."
    return _EXPLAINED.get(cause, "This version does not know the cause; a newer one may.")


def next_step(known: Known) -> str:
    """What to do about a letter."""
    if known.state is State.REPLAYING:
        return "A replay is under way, or was interrupted: the next hfts dlq replay finds out."
    if known.state is not State.OPEN:
        return "Nothing: it is done with."
    if known.letter.cause == UNREADABLE:
        return f"It cannot be replayed. If nobody misses it: hfts dlq discard {known.letter.address} --reason '...'"
    return _NEXT.get(known.letter.cause, _OTHER).format(address=known.letter.address)
