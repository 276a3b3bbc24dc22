"""Delivery of notifications into the log, for installations without a mail server."""

import logging
from collections.abc import Sequence

import structlog

from schemas.notifications import decode_notification
from sinks.masking import mask_email
from sinks.metrics import DELIVERIES

_log = structlog.get_logger(__name__)


class LogDelivery:
    """Writes one line a batch, and with debug logging one a notification."""

    def deliver(self, partition: int, values: Sequence[bytes]) -> None:
        """Log the notifications of one partition, given as they stand on their topic."""
        _log.info("notifications.delivered", partition=partition, count=len(values), channel="log")
        DELIVERIES.labels("log", "delivered").inc(len(values))
        if logging.getLogger(__name__).isEnabledFor(logging.DEBUG):
            for notification in map(decode_notification, values):
                _log.debug(
                    "notification.delivered",
                    transfer_id=notification.transfer_id,
                    recipient=notification.recipient,
                    email=mask_email(notification.email),
                    kind=notification.kind or None,
                    status=notification.status,
                    amount=notification.amount,
                    currency=notification.currency,
                )
