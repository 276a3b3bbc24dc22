"""The id of a message follows from what it tells, so that a recipient can drop one that comes twice."""

from collections.abc import Iterable
from uuid import UUID, uuid5

_MESSAGES = UUID("0b0f2a5b-3f0e-4a55-8b6e-9d1c6c1f7c11")


def message_id(keys: Iterable[tuple[UUID, str]], channel: str) -> UUID:
    """Of a message on this channel that tells these transfers and recipients, in whatever order."""
    return uuid5(
        _MESSAGES, "\n".join([channel, *sorted(f"{transfer_id} {recipient}" for transfer_id, recipient in keys)])
    )
