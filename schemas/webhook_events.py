"""What a webhook is sent: the notification in the shape that Standard Webhooks suggests, without the e-mail address."""

import msgspec

from schemas.notifications import Notification

_ENCODER = msgspec.json.Encoder()


def webhook_event(notification: Notification) -> bytes:
    """JSON: ``type`` is ``transfer.completed`` or ``transfer.failed``, ``timestamp`` when, ``data`` the rest."""
    data = msgspec.to_builtins(notification)
    del data["email"]
    event = {
        "type": f"transfer.{notification.status.lower()}",
        "timestamp": data["completed_at"],
        "data": data,
    }
    return _ENCODER.encode(event)
