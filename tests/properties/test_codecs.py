"""What one side writes, the other reads as the same."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

from builders import a_request, consumed, new_id
from hypothesis import given
from hypothesis import strategies as st

from schemas.audit import GENESIS_HASH, canonical_json, chain_record, record_hash, seal_of, sealed_part
from schemas.money import UNITS_MAX, format_units, parse_amount
from schemas.transfers import (
    CURRENCIES,
    METADATA_KEY_CHARS_MAX,
    METADATA_KEYS_MAX,
    METADATA_VALUE_CHARS_MAX,
    REFERENCE_CHARS_MAX,
    TransferRequest,
    decode_outcome,
    decode_request,
    encode_outcome,
    encode_request,
    format_time,
)
from sinks.ledger.rules import decide
from sinks.ledger.types import Order, WalletState
from streams.outcomes import outcome_of
from streams.requests import read_requests

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
times = st.datetimes(
    min_value=datetime(1970, 1, 2),
    max_value=datetime(9998, 12, 30),
    timezones=st.just(UTC),
)
requests = st.builds(
    TransferRequest,
    transfer_id=st.uuids().map(str),
    source_wallet_id=st.uuids().map(str),
    destination_wallet_id=st.uuids().map(str),
    amount=st.integers(1, UNITS_MAX).map(format_units),
    currency=st.sampled_from(sorted(CURRENCIES)),
    requested_at=times,
    reference=st.none() | texts.map(lambda text: text[:REFERENCE_CHARS_MAX]),
    metadata=st.none()
    | st.dictionaries(
        texts.map(lambda t: t[:METADATA_KEY_CHARS_MAX]),
        texts.map(lambda t: t[:METADATA_VALUE_CHARS_MAX]),
        max_size=METADATA_KEYS_MAX,
    ),
)


@given(requests)
def test_a_valid_request_is_read_as_it_was_written(request: TransferRequest) -> None:
    decoded, units = decode_request(encode_request(request))
    assert decoded == request
    assert format_units(units) == request.amount


damaged = st.builds(lambda request, tail: encode_request(request)[: -1 - len(tail)] + tail, requests, st.binary())


@given(st.binary(max_size=300) | damaged)
def test_any_bytes_become_an_order_or_a_dead_letter(raw: bytes) -> None:
    orders, dead = read_requests([consumed(0, raw, key=b"x")])
    assert len(orders) + len(dead) == 1


@given(st.integers(1, UNITS_MAX))
def test_amounts_survive_their_text(units: int) -> None:
    assert parse_amount(format_units(units)) == units


@given(requests, st.booleans())
def test_an_outcome_is_read_as_it_was_written(request: TransferRequest, funded: bool) -> None:
    wallets = {
        request.source_wallet_id: WalletState(request.currency, False, True, UNITS_MAX if funded else 0, 7),
        request.destination_wallet_id: WalletState(request.currency, False, True, 0, 0),
    }
    [transfer], _ = decide([Order(request, parse_amount(request.amount), 0, 3)], wallets, datetime.now(UTC))
    outcome = outcome_of(transfer)
    assert decode_outcome(encode_outcome(outcome)) == outcome
    told = json.loads(encode_outcome(outcome))
    asked = json.loads(encode_request(request))
    assert {name: told.get(name) for name in asked if name != "requested_at"} == {
        name: value for name, value in asked.items() if name != "requested_at"
    }


@given(times, st.integers(-14 * 60, 14 * 60))
def test_equal_moments_have_equal_texts(moment: datetime, offset_minutes: int) -> None:
    elsewhere = moment.astimezone(timezone(timedelta(minutes=offset_minutes)))
    assert format_time(elsewhere) == format_time(moment)
    assert datetime.fromisoformat(format_time(moment)) == moment


@given(st.dictionaries(texts, texts | st.none() | st.integers(-(2**53), 2**53) | st.dictionaries(texts, texts)))
def test_canonical_json_is_what_pythons_own_json_writes(value: dict[str, object]) -> None:
    plain = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert canonical_json(value) == plain


@given(requests)
def test_an_audit_record_carries_its_own_hash(request: TransferRequest) -> None:
    outcome = json.loads(encode_request(request))
    raw, digest = chain_record(outcome, outcome_offset=5, sequence=2, prev_hash=GENESIS_HASH)
    record = json.loads(raw)
    assert record["hash"] == digest == record_hash(record) == hashlib.sha256(sealed_part(raw)).hexdigest()
    assert seal_of(raw) == (GENESIS_HASH.encode(), digest.encode())
    assert record_hash(record | {"transfer_id": new_id()}) != digest


def test_a_repeated_key_is_seen_however_it_is_dressed() -> None:
    raw = encode_request(a_request(reference='a "quoted" text'))
    repeated = raw[:-1] + b',"\\u0061mount":"99.0000"}'
    assert read_requests([consumed(0, repeated)])[1][0].cause == "undecodable"
