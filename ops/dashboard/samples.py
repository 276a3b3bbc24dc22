"""Examples of the dashboard's bodies."""

from typing import Any

from schemas import samples

ADDRESS = "3:17"

LETTER_SUMMARY: dict[str, Any] = {
    "address": ADDRESS,
    "at": samples.DONE_AT,
    "cause": "wrong_key",
    "detail": "The record's key must be the source wallet's id as lower-case text.",
    "source_topic": "transfers.requested",
    "source_partition": 3,
    "source_offset": "118",
    "transfer_id": samples.TRANSFER,
    "state": "open",
    "actor": None,
    "done_at": None,
    "reason": None,
    "request_partition": None,
    "request_offset": None,
}

_KEY = {"size": 4, "text": "key1", "hex": ["00000000  6b 65 79 31  |key1|"], "is_cut": False}

LETTER: dict[str, Any] = {
    **LETTER_SUMMARY,
    "explanation": "The record's key must be the source wallet's id as lower-case text.",
    "next_step": "Have the producer mended, let it send the transfer again, then discard this letter.",
    "is_replayable": True,
    "headers": [],
    "header_count": 0,
    "key": _KEY,
    "value": None,
}


def _place(topic: str, offset: str) -> dict[str, Any]:
    return {"topic": topic, "partition": 3, "offset": offset, "at": samples.DONE_AT}


PATH: dict[str, Any] = {
    "transfer_id": samples.TRANSFER,
    "request": _place("transfers.requested", "118"),
    "row": {
        **samples.ORDER,
        "requested_at": samples.ASKED_AT,
        **samples.COMPLETED,
        "source_version": "2",
        "destination_version": "1",
    },
    "outcome": {**_place("transfers.outcomes", "97"), "is_row": True},
    "notifications": [
        {
            **_place("notifications", "141"),
            "recipient": "sender",
            "user_id": samples.ADA,
            "wallet_id": samples.ADAS_WALLET,
            "is_handed_out": True,
        }
    ],
    "audit": {
        **_place("audit", "97"),
        "sequence": "97",
        "prev_hash": "0" * 64,
        "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "hash_holds": True,
        "is_row": True,
    },
}
