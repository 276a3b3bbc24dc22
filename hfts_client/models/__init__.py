"""What the API tells. Members that this version does not know are passed over."""

from hfts_client.models.accounts import ApiKey, ApiKeyList, NewApiKey, User
from hfts_client.models.answered import Answered, Id
from hfts_client.models.holds import Draw, Hold, HoldPage
from hfts_client.models.notifications import Delivery, DeliveryPage, NewWebhookSecret, NotificationPreferences, Webhook
from hfts_client.models.transfers import (
    AcceptedLine,
    PendingTransfer,
    Receipt,
    Transfer,
    TransferEvent,
    TransferPage,
    Verdict,
)
from hfts_client.models.wallets import Balance, Entry, EntryPage, PendingRequests, State, Statement, Wallet, WalletList

__all__ = [
    "AcceptedLine",
    "Answered",
    "ApiKey",
    "ApiKeyList",
    "Balance",
    "Delivery",
    "DeliveryPage",
    "Draw",
    "Entry",
    "EntryPage",
    "Hold",
    "HoldPage",
    "Id",
    "NewApiKey",
    "NewWebhookSecret",
    "NotificationPreferences",
    "PendingRequests",
    "PendingTransfer",
    "Receipt",
    "State",
    "Statement",
    "Transfer",
    "TransferEvent",
    "TransferPage",
    "User",
    "Verdict",
    "Wallet",
    "WalletList",
    "Webhook",
]
