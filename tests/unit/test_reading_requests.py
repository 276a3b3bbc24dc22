"""Whatever bytes come in: an order, or a dead letter with a cause."""

import json
from typing import Any

import pytest
from builders import a_request, consumed, request_record

from schemas import headers
from schemas.codes import DeadLetterCause
from schemas.transfers import METADATA_KEYS_MAX, encode_request
from streams.requests import dead_letter_record, read_requests

GOOD = encode_request(a_request())


def changed(**fields: Any) -> bytes:
    return json.dumps(json.loads(GOOD) | fields).encode()


def without(name: str) -> bytes:
    document = json.loads(GOOD)
    del document[name]
    return json.dumps(document).encode()


def cause_of(value: bytes | None) -> str | None:
    key = json.loads(GOOD)["source_wallet_id"].encode()
    orders, dead = read_requests([consumed(7, value, key=key)])
    assert len(orders) + len(dead) == 1
    return dead[0].cause if dead else None


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"not json",
        b"\xff\xfe",
        GOOD.replace(b"USD", b"US\xff"),
        GOOD[:-1],
        GOOD + b"}",
        GOOD[:-1] + b',"amount":"9.0000"}',
        GOOD[:-1] + b',"metadata":{"a":"1","a":"2"}}',
        GOOD[:-1] + b',"metadata":{"a":' + b"[" * 100_000,
        GOOD[:-1] + b',"reference":"\\ud800"}',
        GOOD.replace(b'"12.5000"', b"NaN"),
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        GOOD[:-1] + b',"surplus":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        GOOD.replace(b'"12.5000"', b"1" * 5_000),
        GOOD[:-1] + b',"surplus":1,"surplus":2}',
    ],
)
def test_undecodable(value: bytes | None) -> None:
    assert cause_of(value) == DeadLetterCause.UNDECODABLE


@pytest.mark.parametrize(
    "value",
    [
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        *(without(name) for name in json.loads(GOOD)),
        changed(surplus="x"),
        changed(amount=12.5),
        changed(amount="1e3"),
        changed(amount="-1"),
        changed(amount="0"),
        changed(amount="100000000000000"),
        changed(amount="1.00001"),
        changed(amount=None),
        changed(currency="usd"),
        changed(currency="ZZZ"),
        changed(transfer_id="x"),
        changed(transfer_id="{12345678-1234-1234-1234-123456789abc}"),
        changed(source_wallet_id="12345678123412341234123456789abc"),
        changed(requested_at="yesterday"),
        changed(requested_at="2026-01-01T00:00:00"),
        changed(requested_at="0001-01-01T00:00:00+14:00"),
        changed(requested_at="9999-12-31T23:59:59-14:00"),
        changed(requested_at=0),
        changed(reference="x" * 201),
        changed(reference="a\x00b"),
        changed(metadata={"k": "x" * 1_000_000}),
        changed(metadata={"k" * 41: "x"}),
        changed(metadata={str(n): "x" for n in range(METADATA_KEYS_MAX + 1)}),
        changed(metadata={"k": 1}),
        changed(metadata={"k": {"nested": "x"}}),
        changed(metadata={"k": 10**4000}),
        changed(amount=1e308),
        changed(metadata={str(n): "x" for n in range(100_000)}),
        changed(metadata={"k": "\x00"}),
        changed(metadata=[]),
    ],
)
def test_invalid(value: bytes) -> None:
    assert cause_of(value) == DeadLetterCause.INVALID_REQUEST


@pytest.mark.parametrize(
    "value",
    [
        GOOD,
        changed(amount="12"),
        changed(reference=None, metadata=None),
        changed(reference='say "hi" \\ Ω', metadata={"a": 'quo"ted', "ключ": "значение"}),
        changed(metadata={str(n): "x" * 500 for n in range(METADATA_KEYS_MAX)}),
        changed(requested_at="2026-01-01T00:00:00+05:30"),
        changed(transfer_id="ABCDEF01-2345-6789-ABCD-EF0123456789"),
        json.dumps(json.loads(GOOD), indent=2).encode(),
    ],
)
def test_valid(value: bytes) -> None:
    assert cause_of(value) is None


@pytest.mark.parametrize("depth", [*range(900, 1100, 7), 2_000, 10_000, 400_000])
@pytest.mark.parametrize("place", ["surplus", "metadata", "amount", "reference"])
def test_nesting_is_a_dead_letter_at_every_depth(depth: int, place: str) -> None:
    """Where the interpreter's stack ends is nowhere near a crash, and nothing beyond it either."""
    nested = GOOD[:-1] + f',"{place}":'.encode() + b"[" * depth + b"]" * depth + b"}"
    assert cause_of(nested) in (DeadLetterCause.UNDECODABLE, DeadLetterCause.INVALID_REQUEST)


def test_ids_are_put_in_lower_case() -> None:
    upper = changed(transfer_id="ABCDEF01-2345-6789-ABCD-EF0123456789")
    orders, _ = read_requests([consumed(0, upper, key=json.loads(GOOD)["source_wallet_id"].encode())])
    assert orders[0].request.transfer_id == "abcdef01-2345-6789-abcd-ef0123456789"


@pytest.mark.parametrize("key", [None, b"", b"x", a_request().source_wallet_id.encode(), b"\xff"])
def test_the_key_must_be_the_source_wallet(key: bytes | None) -> None:
    _, dead = read_requests([consumed(0, GOOD, key=key)])
    assert [letter.cause for letter in dead] == [DeadLetterCause.WRONG_KEY]


def test_one_bad_record_does_not_spoil_the_others() -> None:
    records = [request_record(0, a_request()), consumed(1, b"\xff"), request_record(2, a_request())]
    orders, dead = read_requests(records)
    assert [order.offset for order in orders] == [0, 2]
    assert [letter.record.offset for letter in dead] == [1]


def test_a_dead_letter_keeps_its_bytes_and_says_where_it_came_from_and_why() -> None:
    record = consumed(41, b"\xffraw", key=b"\x00key", partition=3, headers=[("traceparent", b"00-abc")])
    [letter] = read_requests([record])[1]
    dead = dead_letter_record(letter)
    assert (dead.key, dead.value) == (b"\x00key", b"\xffraw")
    assert dead.headers[0] == ("traceparent", b"00-abc")
    assert dict(dead.headers) | {headers.DETAIL: b""} == {
        "traceparent": b"00-abc",
        headers.SOURCE_TOPIC: b"transfers.requested",
        headers.SOURCE_PARTITION: b"3",
        headers.SOURCE_OFFSET: b"41",
        headers.CAUSE: b"undecodable",
        headers.DETAIL: b"",
    }


def test_a_forged_source_offset_header_does_not_mislead() -> None:
    record = consumed(41, b"\xff", headers=[(headers.SOURCE_OFFSET, b"999999")])
    [letter] = read_requests([record])[1]
    assert headers.source_offset(dead_letter_record(letter).headers) == 41


def test_a_header_without_a_value_is_kept() -> None:
    record = consumed(1, b"\xff", headers=[("empty", None), ("Ünïcode", b"x")])
    [letter] = read_requests([record])[1]
    dead = dead_letter_record(letter)
    assert list(dead.headers)[:2] == [("empty", None), ("Ünïcode", b"x")]
    assert dead.size_bytes_max > len("Ünïcode".encode())
