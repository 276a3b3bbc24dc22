"""What HTTP accepts, the stream accepts, and reads as the same."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from fastapi.exceptions import RequestValidationError
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ingest_api.known_transfers import KnownTransfers
from ingest_api.submission import Order, Submitter, transfer_id_of_key
from ingest_api.tokens import Caller
from schemas.http import NewTransfer, normalise_email
from schemas.money import parse_amount
from schemas.strict_json import loads_strict
from schemas.transfers import CURRENCIES, decode_request
from sinks.directory.transfers import StoredRequest
from sinks.kafka.positions import Position

CALLER = Caller("0d4a3b6e-8f6f-4d52-9d0e-0d2b5b7f4a11")


class Topic:
    topic = "transfers.requested"

    def __init__(self) -> None:
        self.records: list[tuple[bytes, bytes]] = []

    async def publish(self, key: bytes, value: bytes) -> Position:
        self.records.append((key, value))
        return Position(0, len(self.records) - 1)

    async def publish_all(self, records: Sequence[tuple[bytes, bytes]]) -> list[Position | None]:
        return [await self.publish(key, value) for key, value in records]


async def nothing(_: Sequence[str]) -> dict[str, StoredRequest]:
    """An empty ledger."""
    return {}


# Any character, also those that are refused, with the strange ones more often than by chance.
texts = st.text(st.characters(codec=None) | st.sampled_from('\x00\ud800\udfff"\\\n\u2028\U0001f600'), max_size=12)
uuids = st.uuids().map(str)
amounts = st.from_regex(r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,5})?", fullmatch=True) | st.sampled_from(
    ["0", "0.0001", "99999999999999.9999", "1e3", "-1", "NaN", "1_0", "1\n", "\u0661", "01", ""]
)
bodies = st.fixed_dictionaries(
    {
        "source_wallet_id": uuids | uuids.map(str.upper) | texts,
        "destination_wallet_id": uuids | st.uuids().map(lambda value: value.hex),
        "amount": amounts | st.integers() | st.floats(),
        "currency": st.sampled_from(sorted(CURRENCIES)) | st.sampled_from(["usd", "USX", ""]),
    },
    optional={
        "transfer_id": st.none() | uuids,
        "reference": st.none() | texts | st.text(min_size=195, max_size=205),
        "metadata": st.none() | st.dictionaries(texts, texts, max_size=3) | st.dictionaries(texts, st.integers()),
        "colour": texts,
    },
)
valid_bodies = st.fixed_dictionaries(
    {
        "source_wallet_id": uuids | uuids.map(str.upper),
        "destination_wallet_id": uuids,
        "amount": amounts,
        "currency": st.sampled_from(sorted(CURRENCIES)),
    },
    optional={
        "transfer_id": uuids,
        "reference": st.none() | texts,
        "metadata": st.none() | st.dictionaries(texts, texts, max_size=5),
    },
)


@given(body=bodies | valid_bodies)
async def test_what_http_accepts_the_stream_reads_as_the_same(body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    try:
        accepted = NewTransfer.model_validate(loads_strict(raw))
    except (ValueError, ValidationError, RequestValidationError):
        return
    topic = Topic()
    order = Order(
        kind="transfer",
        source_wallet_id=accepted.source_wallet_id,
        destination_wallet_id=accepted.destination_wallet_id,
        amount=accepted.amount,
        currency=accepted.currency,
        reference=accepted.reference,
        metadata=accepted.metadata,
    )
    answer = await Submitter(topic, KnownTransfers(nothing)).submit(CALLER, order, accepted.transfer_id)
    [(key, value)] = topic.records
    request, units = decode_request(value)
    assert key.decode() == request.source_wallet_id == body["source_wallet_id"].lower()
    assert request.destination_wallet_id == body["destination_wallet_id"].lower()
    assert request.transfer_id == answer.receipt.transfer_id
    assert body.get("transfer_id") in (None, request.transfer_id)
    assert units == parse_amount(body["amount"]) == parse_amount(request.amount)
    assert request.currency == body["currency"]
    assert request.reference == body.get("reference")
    assert request.metadata == body.get("metadata")
    assert request.requested_at.tzinfo is not None


@given(body=valid_bodies.filter(lambda body: not any(mark in repr(body) for mark in ("\\x00", "\\ud", "amount': '-"))))
def test_what_is_plainly_right_is_accepted(body: dict[str, Any]) -> None:
    try:
        parse_amount(body["amount"])
    except ValueError:
        return
    NewTransfer.model_validate(loads_strict(json.dumps(body).encode()))


@given(key=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=255))
def test_a_key_stands_for_one_id(key: str) -> None:
    assert transfer_id_of_key(CALLER, key) == str(uuid5(UUID(CALLER.user_id), key))


@given(text=texts | st.emails())
def test_an_address_has_one_form(text: str) -> None:
    try:
        normalised = normalise_email(text)
    except ValueError:
        return
    assert normalise_email(normalised) == normalised
    assert "\x00" not in normalised
