"""A message to one party of a transfer, as it stands on ``notifications``."""

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

WEBHOOK_URL_CHARS_MAX = 2_048

Party: TypeAlias = Literal["sender", "receiver"]


class Notification(msgspec.Struct, kw_only=True, gc=False):
    """Tells ``email`` that a transfer it is a party of has completed, or, to the sender only, failed.

    ``kind`` is missing for an ordinary transfer. Of a hold and a void only the sender is told: both wallets are theirs.
    """

    transfer_id: str
    recipient: Party
    user_id: str
    wallet_id: str
    email: str
    status: str
    reason: str | None
    amount: str
    currency: str
    reference: str | None
    completed_at: datetime
    kind: str | msgspec.UnsetType = msgspec.UNSET


class NotificationKey(msgspec.Struct, frozen=True, gc=False):
    """What is told once on each channel."""

    transfer_id: str
    recipient: Party


_KEY_DECODER = msgspec.json.Decoder(NotificationKey)
_DECODER = msgspec.json.Decoder(Notification)
_ENCODER = msgspec.json.Encoder()


def decode_notification(raw: bytes) -> Notification:
    """The notification. Raises msgspec.MsgspecError for anything that we did not write."""
    return _DECODER.decode(raw)


def decode_key(raw: bytes) -> NotificationKey:
    """Of which transfer and recipient a notification is. Raises msgspec.MsgspecError as above."""
    return _KEY_DECODER.decode(raw)


def encode_notification(notification: Notification) -> bytes:
    """The notification as it stands on the topic."""
    return _ENCODER.encode(notification)
