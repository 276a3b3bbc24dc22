"""The JSON Schemas of messages against what the program writes, takes and refuses."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema_rs
import orjson
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import headers, samples
from schemas.asyncapi import MESSAGES, Message, asyncapi
from schemas.audit import GENESIS_HASH, chain_record
from schemas.codes import DeadLetterCause, FailureReason
from schemas.message_schemas import (
    AUDIT_RECORD,
    NOTIFICATION,
    OUTCOME,
    REQUEST,
    headers_schema,
    value_schemas,
)
from schemas.notifications import encode_notification
from schemas.topics import ALL_TOPICS, TRANSFERS_RATES
from schemas.transfers import InvalidRequestError, MalformedRequestError, decode_outcome, decode_request, encode_outcome
from sinks.ledger.types import Transfer
from streams.notifications import notifications_of
from streams.outcomes import outcome_record
from streams.requests import DeadLetter, dead_letter_record

SUPPORT = Path(__file__).parents[1] / "support"
SCHEMAS = value_schemas()
CHECKS = {name: jsonschema_rs.Draft202012Validator(schema, validate_formats=True) for name, schema in SCHEMAS.items()}
NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)
A_REQUEST = {"transfer_id": samples.TRANSFER, **samples.ORDER, "requested_at": samples.ASKED_AT}


def is_taken(document: Any) -> bool:
    """Whether the program decodes it as a request."""
    try:
        decode_request(orjson.dumps(document))
    except (MalformedRequestError, InvalidRequestError):
        return False
    return True


def transfer(reason: str | None = None) -> Transfer:
    has_failed = reason is not None
    return Transfer(
        transfer_id=str(uuid4()),
        source_wallet_id=str(uuid4()),
        destination_wallet_id=str(uuid4()),
        units=125_000,
        currency="EUR",
        reason=reason,
        source_units=None if has_failed else -5,
        source_version=None if has_failed else 7,
        destination_units=None if has_failed else 10**18 - 1,
        destination_version=None if has_failed else 1,
        requested_at=NOW,
        completed_at=NOW,
        reference=None if has_failed else "",
        metadata=None if has_failed else {"a": "b", "": "\u2028"},
        request_partition=3,
        request_offset=118,
    )


ids = st.sampled_from([samples.TRANSFER, samples.TRANSFER.upper(), "", "x", samples.TRANSFER[:-1], None, 7])
CURIOUS: dict[str, st.SearchStrategy[Any]] = {
    "transfer_id": ids,
    "source_wallet_id": ids,
    "destination_wallet_id": ids,
    "amount": st.sampled_from(
        [
            "0",
            "0.0",
            "0.0000",
            "0.0001",
            "01",
            "1.",
            ".1",
            "1.00000",
            "9" * 14,
            "9" * 15,
            "-1",
            "1e3",
            " 1",
            "1\n",
            "٣",
            "",
        ]
    )
    | st.floats(0, 2)
    | st.none(),
    # ISO 4217 has XTS for tests.
    "currency": st.sampled_from(["EUR", "eur", "XTS", "EURO", "", None, 1]),
    "requested_at": st.sampled_from(
        [
            *(
                "2030-01-31T12:00:00Z",
                "2030-01-31T12:00:00.123456+05:30",
                "2030-01-31T12:00:00",
                "2030-02-30T12:00:00Z",
            ),
            *("1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "9998-12-31T23:59:59Z", "9999-01-01T00:00:00Z"),
            *("2030-01-31T24:00:00Z", "2030-01-31T23:59:60Z", "2030-01-31", "", "12:00", None, 0),
        ]
    ),
    "reference": st.sampled_from(["", "x" * 200, "x" * 201, "\U0001f600" * 200, "a\x00b", None, 1, ["x"]]),
    "metadata": st.sampled_from(
        [
            *(
                {},
                {"": ""},
                {"k" * 40: "v" * 500},
                {"k" * 41: "v"},
                {"k": "v" * 501},
                {"k": None},
                {"k": 1},
                {"k": "\x00"},
            ),
            *({"\x00": "v"}, {str(n): "v" for n in range(50)}, {str(n): "v" for n in range(51)}, None, [], "x"),
        ]
    ),
    "more": st.just("x"),
}


changes = st.sampled_from(sorted(CURIOUS)).flatmap(lambda name: st.tuples(st.just(name), CURIOUS[name]))


@settings(max_examples=300)
@given(st.lists(changes, max_size=2))
def test_a_request_is_right_by_its_schema_where_the_program_takes_it(changed: list[tuple[str, Any]]) -> None:
    document = {**A_REQUEST, **dict(changed)}
    assert CHECKS[REQUEST].is_valid(document) == is_taken(document), document


@pytest.mark.parametrize("name", sorted(A_REQUEST))
def test_what_may_be_left_out_is_the_same_for_both(name: str) -> None:
    document = {each: value for each, value in A_REQUEST.items() if each != name}
    assert CHECKS[REQUEST].is_valid(document) == is_taken(document) == (name in {"reference", "metadata"})


@pytest.mark.parametrize("value", [None, [], "x", 1, True])
def test_what_is_no_object_is_refused_by_both(value: Any) -> None:
    assert not CHECKS[REQUEST].is_valid(value)
    assert not is_taken(value)


@pytest.mark.parametrize("reason", [None, *FailureReason])
def test_outcomes_and_what_follows_from_them_are_right(reason: str | None) -> None:
    record = outcome_record(transfer(reason), samples.TRACEPARENT.encode())
    outcome = decode_outcome(record.value or b"")
    CHECKS[OUTCOME].validate(orjson.loads(encode_outcome(outcome)))
    link, _ = chain_record(orjson.loads(record.value or b""), outcome_offset=7, sequence=7, prev_hash=GENESIS_HASH)
    CHECKS[AUDIT_RECORD].validate(orjson.loads(link))
    owner: Any = type("Owner", (), {"user_id": str(uuid4()), "email": "ada@example.com"})()
    told = notifications_of(outcome, {outcome.source_wallet_id: owner, outcome.destination_wallet_id: owner})
    assert len(told) == (1 if reason else 2)
    for notification in told:
        CHECKS[NOTIFICATION].validate(orjson.loads(encode_notification(notification)))
    require_headers(message_of(OUTCOME), record.headers)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (OUTCOME, {"status": "PENDING"}),
        (OUTCOME, {"amount": "12.5"}),
        (OUTCOME, {"completed_at": "2030-01-31T12:00:00+01:00"}),
        (OUTCOME, {"source_version": "2"}),
        (OUTCOME, {"transfer_id": samples.TRANSFER.upper()}),
        (NOTIFICATION, {"recipient": "nobody"}),
        (AUDIT_RECORD, {"hash": "x"}),
        (AUDIT_RECORD, {"sequence": -1}),
    ],
)
def test_what_the_program_would_never_write_is_refused(name: str, change: dict[str, Any]) -> None:
    example = message_of(name).example
    assert CHECKS[name].is_valid(example)
    assert not CHECKS[name].is_valid({**example, **change})


def message_of(name: str) -> Message:
    (found,) = [message for message in MESSAGES if message.name == name]
    return found


def require_headers(message: Message, sent: headers.Headers) -> None:
    document = {name: (value or b"").decode() for name, value in sent}
    jsonschema_rs.Draft202012Validator(headers_schema(*message.headers)).validate(document)


@pytest.mark.parametrize("cause", DeadLetterCause)
def test_headers_of_a_dead_letter_are_right(cause: DeadLetterCause) -> None:
    class Found:
        topic, partition, offset, key, value = "transfers.requested", 3, 119, b"k", b"\xff"
        headers = (("own", b"x"),)

    record: Any = Found()
    require_headers(message_of("dead-letter"), dead_letter_record(DeadLetter(record, cause, "why")).headers)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.name)
def test_examples_are_right(message: Message) -> None:
    if message.name in CHECKS:
        CHECKS[message.name].validate(message.example)
    require_headers(message, [(name, value.encode()) for name, value in message.example_headers.items()])


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_is_described_or_speaks_for_itself(name: str) -> None:
    for field, schema in SCHEMAS[name]["properties"].items():
        assert {"description", "format", "enum"} & schema.keys(), field


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_in_both_dialects(name: str) -> None:
    jsonschema_rs.meta.validate(SCHEMAS[name])
    later = {"$defs", "$anchor", "$dynamicRef", "prefixItems", "dependentRequired", "unevaluatedProperties"}
    assert not later & set(words_of(SCHEMAS[name]))


def words_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *(word for each in value.values() for word in words_of(each))]
    return [word for each in value for word in words_of(each)] if isinstance(value, list) else []


def test_every_topic_and_header_is_described() -> None:
    assert [message.topic for message in MESSAGES] == [*ALL_TOPICS, TRANSFERS_RATES]
    names = {value for name, value in vars(headers).items() if name.isupper() and isinstance(value, str)}
    assert {name for message in MESSAGES for part in message.headers for name in part} == names


def test_asyncapi_is_version_3() -> None:
    document = json.loads(json.dumps(asyncapi("1.2.3")))
    meta = jsonschema_rs.validator_for(json.loads((SUPPORT / "asyncapi-3.0.0.json").read_text()))
    meta.validate(document)
    for name, message in document["components"]["messages"].items():
        assert message["name"] == name
    for operation in document["operations"].values():
        assert operation["channel"]["$ref"].removeprefix("#/channels/") in document["channels"]
    broken = {**document, "channels": {"x": {"adress": "y"}}}
    assert not meta.is_valid(broken)
    assert yaml.safe_load(yaml.safe_dump(document)) == document
