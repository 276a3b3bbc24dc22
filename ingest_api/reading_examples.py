"""Examples of what is read, for the OpenAPI document: Ada's wallet on the day of her lunch with Bob."""

from typing import Any

from schemas.samples import ADAS_WALLET, ASKED_AT, BOBS_WALLET, COMPLETED, DONE_AT, ORDER, TRANSFER

_FROM, _TO = "2030-01-31T00:00:00.000000Z", "2030-02-01T00:00:00.000000Z"

_ENTRY: dict[str, Any] = {
    "transfer_id": TRANSFER,
    "version": 2,
    "amount": "-12.5000",
    "balance": "87.5000",
    "currency": "EUR",
    "counterparty_wallet_id": BOBS_WALLET,
    "reference": "lunch",
    "completed_at": DONE_AT,
}
_SEEN: dict[str, Any] = {
    "transfer_id": TRANSFER,
    **ORDER,
    **COMPLETED,
    "kind": None,
    "parent_id": None,
    "expires_at": None,
    "requested_at": ASKED_AT,
    "destination_balance": None,
    "destination_version": None,
}

TRANSFERS: dict[str, Any] = {
    "data": [_SEEN],
    "has_more": True,
    "next_cursor": "lM8ABrx8InCxIsQQAZD1oxERcACAAAAAAAAAAcKBxBABkPWibX58O5pRL2DB1Oi3Ag",
    "previous_cursor": "lM8ABrx8InCxIsQQAZD1oxERcACAAAAAAAAAAcOBxBABkPWibX58O5pRL2DB1Oi3Aw",
}
ENTRIES: dict[str, Any] = {"data": [_ENTRY], "has_more": True, "next_cursor": 2, "previous_cursor": 2}
BALANCE: dict[str, Any] = {
    "wallet_id": ADAS_WALLET,
    "currency": "EUR",
    "balance": "87.5000",
    "version": 2,
    "at": "2030-01-31T18:00:00.000000Z",
    "completed_at": DONE_AT,
}
PENDING: dict[str, Any] = {
    "wallet_id": ADAS_WALLET,
    "pending": 2,
    "is_all": True,
    "partition": 3,
    "from_offset": 119,
    "to_offset": 131,
}
STATEMENT_JSON: dict[str, Any] = {
    "wallet_id": ADAS_WALLET,
    "currency": "EUR",
    "from": _FROM,
    "to": _TO,
    "opening": {"balance": "100.0000", "version": 1},
    "entries": [_ENTRY],
    "closing": {"balance": "87.5000", "version": 2},
}
STATEMENT_CSV = (
    "kind,version,completed_at,transfer_id,counterparty_wallet_id,amount,balance,currency,reference\r\n"
    f"opening,1,{_FROM},,,,100.0000,EUR,\r\n"
    f"entry,2,{DONE_AT},{TRANSFER},{BOBS_WALLET},-12.5000,87.5000,EUR,lunch\r\n"
    f"closing,2,{_TO},,,,87.5000,EUR,\r\n"
)
