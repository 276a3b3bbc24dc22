"""Which of the deliveries that are due go out now, which wait for their turn, and which go out later in one message."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid5

import msgspec

from sinks.delivery.tries import TRIES_MAX

IN_HAND_MAX = 4
"""Of one user on one channel in one process: whoever answers slowly keeps nobody else waiting."""

_DIGESTS = UUID("6d2f7c0e-5f0c-4c8e-9a44-0d7d3c6b1a52")


class Delivery(msgspec.Struct, frozen=True):
    """A row of the queue: what one user is to be told on one channel. ``notification`` is as on its topic."""

    transfer_id: UUID
    recipient: str
    user_id: UUID
    tries: int
    notification: bytes


class Window(msgspec.Struct, frozen=True):
    """Since when a user's e-mails are counted, until when, and how many more may go out."""

    started_at: datetime
    ends_at: datetime
    room: int


class Shares(msgspec.Struct):
    """What becomes of deliveries that are due."""

    go: list[Delivery] = msgspec.field(default_factory=list)
    postponed: list[Delivery] = msgspec.field(default_factory=list)
    """Too many of this user are in hand."""
    digested: list[tuple[Delivery, Window]] = msgspec.field(default_factory=list)
    """No room is left in the window of this user."""
    cut_off: list[Delivery] = msgspec.field(default_factory=list)
    """The last try has not come to an end either."""


def room_wanted(due: Sequence[Delivery], in_hand: Mapping[UUID, int]) -> Counter[UUID]:
    """How much room each user's first tries take if there is any; what is tried again has taken it before."""
    return Counter(delivery.user_id for delivery in share_out(due, in_hand, {}).go if delivery.tries == 0)


def share_out(due: Sequence[Delivery], in_hand: Mapping[UUID, int], windows: Mapping[UUID, Window]) -> Shares:
    """Decide on deliveries in the order given; a user without a window has room."""
    shares, first_tries, busy = Shares(), Counter[UUID](), Counter(in_hand)
    for delivery in due:
        user, window = delivery.user_id, windows.get(delivery.user_id)
        first_tries[user] += delivery.tries == 0
        if delivery.tries >= TRIES_MAX:
            shares.cut_off.append(delivery)
        elif delivery.tries == 0 and window is not None and first_tries[user] > window.room:
            shares.digested.append((delivery, window))
        elif busy[user] >= IN_HAND_MAX:
            shares.postponed.append(delivery)
        else:
            busy[user] += 1
            shares.go.append(delivery)
    return shares


def digest_id(user_id: UUID, window: Window) -> UUID:
    """Of the message in which a user is told what found no room in a window."""
    return uuid5(_DIGESTS, f"{user_id} {window.started_at.isoformat()}")
