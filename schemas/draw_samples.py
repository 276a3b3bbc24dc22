"""Values for examples of holds and of what draws on transfers: likewise made up."""

from typing import Any

from schemas.holds import hold_wallet_id
from schemas.samples import ADAS_WALLET, ASKED_AT, BOBS_WALLET, DONE_AT, TRANSFER

NEW_HOLD: dict[str, Any] = {
    "source_wallet_id": ADAS_WALLET,
    "amount": "30.0000",
    "currency": "EUR",
    "expires_at": "2030-02-07T12:00:00Z",
    "reference": "hotel",
}
HOLD: dict[str, Any] = {
    "hold_id": TRANSFER,
    "status": "open",
    "reason": None,
    "source_wallet_id": ADAS_WALLET,
    "hold_wallet_id": hold_wallet_id(ADAS_WALLET),
    "amount": "30.0000",
    "captured": "20.0000",
    "voided": "0.0000",
    "remaining": "10.0000",
    "currency": "EUR",
    "reference": "hotel",
    "metadata": None,
    "expires_at": "2030-02-07T12:00:00.000000Z",
    "requested_at": ASKED_AT,
    "completed_at": DONE_AT,
    "version": 1,
}
DRAW: dict[str, Any] = {
    "transfer_id": "0190f5a3-3333-7000-8000-000000000003",
    "kind": "capture",
    "status": "COMPLETED",
    "reason": None,
    "amount": "20.0000",
    "destination_wallet_id": BOBS_WALLET,
    "completed_at": DONE_AT,
}
CAPTURE: dict[str, Any] = {"destination_wallet_id": BOBS_WALLET, "amount": "20.0000"}
VERDICT: dict[str, Any] = {
    "verdict": "COMPLETED",
    "reason": None,
    "detail": None,
    "source_balance": "87.5000",
    "destination_balance": None,
}
