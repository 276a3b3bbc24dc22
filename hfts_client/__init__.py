"""A client of the HTTP API, and of the request topic on Kafka (`hfts_client.kafka`, which needs aiokafka).

    with Client("https://payments.example.com", email=..., password=...) as client:
        outcome = client.transfers.create(
            source_wallet_id=..., destination_wallet_id=..., amount=Decimal("12.50"), currency="EUR", wait=10
        )

Of this repository it imports nothing but `schemas`, and loads of that only what is pure.
"""

from hfts_client.async_client import AsyncClient
from hfts_client.client import Client
from hfts_client.errors import (
    ApiError,
    AuthenticationError,
    BadAnswerError,
    ConflictError,
    ConnectionFailedError,
    FieldError,
    HftsError,
    IdempotencyKeyReusedError,
    InvalidRequestError,
    NotFoundError,
    OutcomePendingError,
    PermissionDeniedError,
    RateLimitedError,
    ServerFaultError,
    TimedOutError,
    TransferRejectedError,
    UnavailableError,
    UnconfirmedError,
)
from hfts_client.models import (
    AcceptedLine,
    ApiKey,
    Balance,
    Delivery,
    Draw,
    Entry,
    Hold,
    NewApiKey,
    NewWebhookSecret,
    NotificationPreferences,
    PendingRequests,
    PendingTransfer,
    Receipt,
    State,
    Statement,
    Transfer,
    TransferEvent,
    User,
    Verdict,
    Wallet,
    Webhook,
)
from hfts_client.operations.batches import BatchResult
from hfts_client.orders import NewTransfer
from hfts_client.retries import RetryPolicy

__all__ = [
    "AcceptedLine",
    "ApiError",
    "ApiKey",
    "AsyncClient",
    "AuthenticationError",
    "BadAnswerError",
    "Balance",
    "BatchResult",
    "Client",
    "ConflictError",
    "ConnectionFailedError",
    "Delivery",
    "Draw",
    "Entry",
    "FieldError",
    "HftsError",
    "Hold",
    "IdempotencyKeyReusedError",
    "InvalidRequestError",
    "NewApiKey",
    "NewTransfer",
    "NewWebhookSecret",
    "NotFoundError",
    "NotificationPreferences",
    "OutcomePendingError",
    "PendingRequests",
    "PendingTransfer",
    "PermissionDeniedError",
    "RateLimitedError",
    "Receipt",
    "RetryPolicy",
    "ServerFaultError",
    "State",
    "Statement",
    "TimedOutError",
    "Transfer",
    "TransferEvent",
    "TransferRejectedError",
    "UnavailableError",
    "UnconfirmedError",
    "User",
    "Verdict",
    "Wallet",
    "Webhook",
]
