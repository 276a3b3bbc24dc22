"""What a notification says, in plain words and without markup."""

from decimal import Decimal

import msgspec

from schemas.notifications import Notification
from schemas.transfers import CAPTURE, HOLD, REVERSAL, VOID

DECIMALS_MIN = 2

_SENT = {
    None: "You paid {amount}",
    HOLD: "{amount} is held in your wallet",
    CAPTURE: "{amount} of what was held was paid",
    VOID: "{amount} is no longer held",
    REVERSAL: "You paid {amount} back",
}
_RECEIVED = {None: "You received {amount}", REVERSAL: "{amount} was paid back to you"}
_FAILED = {
    None: "Your payment of {amount} failed",
    HOLD: "{amount} could not be held",
    CAPTURE: "What was held could not be paid: {amount}",
    VOID: "What is held could not be released: {amount}",
    REVERSAL: "{amount} could not be paid back",
}


def headline(notification: Notification) -> str:
    """In one line what happened, to the party that is told."""
    kind = None if notification.kind is msgspec.UNSET else notification.kind
    done = _SENT if notification.recipient == "sender" else _RECEIVED
    words = _FAILED if notification.status == "FAILED" else done
    return words.get(kind, words[None]).format(amount=amount_text(notification.amount, notification.currency))


def details(notification: Notification) -> list[tuple[str, str]]:
    """What there is to know of it, each with its name."""
    found = [
        ("Amount", amount_text(notification.amount, notification.currency)),
        ("Reference", notification.reference),
        ("Reason", None if notification.reason is None else notification.reason.replace("_", " ")),
        ("Time", f"{notification.completed_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("Wallet", notification.wallet_id),
        ("Transfer", notification.transfer_id),
    ]
    return [(name, value) for name, value in found if value]


def amount_text(amount: str, currency: str) -> str:
    """Decimal text without needless zeros, such as ``12.50 USD`` for ``12.5000``."""
    whole, _, part = amount.partition(".")
    return f"{whole}.{part.rstrip('0').ljust(DECIMALS_MIN, '0')} {currency}"


def sum_text(total: Decimal, currency: str) -> str:
    """The same for a sum."""
    return amount_text(f"{total:f}", currency)
