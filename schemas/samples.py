"""Values for examples in documents: the same few people, wallets and transfers everywhere. None of them exists."""

from typing import Any

ADA = "0190f5a1-4c2d-7e3f-a5b6-c7d8e9f0a1b2"
ADAS_WALLET = "0190f5a2-6d7e-7c3b-9a51-2f60c1d4e8b7"
BOBS_WALLET = "0190f5a2-8b1c-7f4d-8e02-5a9b3c7d6e1f"
TRANSFER = "0190f5a3-1111-7000-8000-000000000001"

ACCOUNT: dict[str, Any] = {
    "user_id": ADA,
    "email": "ada@example.com",
    "status": "active",
    "role": "user",
    "created_at": "2030-01-30T09:00:00.000000Z",
    "updated_at": "2030-01-30T09:00:00.000000Z",
}
WALLET: dict[str, Any] = {
    "wallet_id": ADAS_WALLET,
    "user_id": ADA,
    "kind": "user",
    "currency": "EUR",
    "balance": "87.5000",
    "version": 2,
    "status": "active",
    "created_at": "2030-01-30T09:01:00.000000Z",
    "updated_at": "2030-01-31T12:00:00.041250Z",
    "held": "0.0000",
    "transfer_max": None,
    "day_max": None,
}

ASKED_AT = "2030-01-31T12:00:00.000000Z"
DONE_AT = "2030-01-31T12:00:00.041250Z"

REQUEST_ID = "0190f5a3222270008000000000000007"
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
RECEIPT_TOKEN = "AQGQ9aMREXAAgAAAAAAAAAEBkPWhTC1-P6W2x9jp8KGyAAAAAwAAAAAAAAB2AAAAAAAAAAAAAAAAAAAAAA"  # noqa: S105 (a made-up one)
API_KEY = "hfts_key_AZD1pDMzcACAAAAAAAAAAwABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
RESET_TOKEN = "hfts_pr_AZD1pEREcACAAAAAAAAABAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"  # noqa: S105 (likewise)
WEBHOOK_SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="  # noqa: S105 (likewise)
LOCATION = f"/v1/transfers/{TRANSFER}?receipt={RECEIPT_TOKEN}"

RECEIPT: dict[str, Any] = {
    "transfer_id": TRANSFER,
    "status": "PENDING",
    "topic": "transfers.requested",
    "partition": 3,
    "offset": 118,
    "accepted_at": ASKED_AT,
    "receipt": RECEIPT_TOKEN,
    "location": LOCATION,
}

ORDER: dict[str, Any] = {
    "source_wallet_id": ADAS_WALLET,
    "destination_wallet_id": BOBS_WALLET,
    "amount": "12.5000",
    "currency": "EUR",
    "reference": "lunch",
    "metadata": {"order": "1815"},
}
"""Twelve and a half from Ada to Bob."""

COMPLETED: dict[str, Any] = {
    "status": "COMPLETED",
    "reason": None,
    "source_balance": "87.5000",
    "source_version": 2,
    "destination_balance": "12.5000",
    "destination_version": 1,
    "completed_at": DONE_AT,
}
FAILED: dict[str, Any] = {
    "status": "FAILED",
    "reason": "insufficient_funds",
    "source_balance": None,
    "source_version": None,
    "destination_balance": None,
    "destination_version": None,
    "completed_at": DONE_AT,
}
"""What became of it."""

OUTCOME: dict[str, Any] = {"transfer_id": TRANSFER, **ORDER, "requested_at": ASKED_AT, **COMPLETED}
"""As Ada sees it, who could be Bob, too."""
