"""The AsyncAPI 3.0 document: what stands on which topic, under which key, with which headers, and who writes it.

It is written from the program's side: it receives requests and sends everything else.
"""

from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas import headers, samples
from schemas.audit import GENESIS_HASH, chain_record
from schemas.checkpoints import Position, empty_tree, encode_checkpoint, sign_checkpoint
from schemas.codes import DeadLetterCause
from schemas.message_schemas import (
    AUDIT_RECORD,
    CHECKPOINT,
    NOTIFICATION,
    OUTCOME,
    RATE,
    REQUEST,
    Schema,
    headers_schema,
    value_schemas,
)
from schemas.topics import (
    AUDIT,
    AUDIT_CHECKPOINTS,
    DEAD_LETTERS,
    NOTIFICATIONS,
    PARTITIONS_DEFAULT,
    TRANSFERS_OUTCOMES,
    TRANSFERS_RATES,
    TRANSFERS_REQUESTED,
    Topic,
)

_BINDING = "0.5.0"
_DEAD_LETTER = "dead-letter"
_CAUSE = DeadLetterCause.WRONG_KEY

_DESCRIPTION = """
Money transfers over Kafka. A producer writes requests; each has one outcome, on the same partition of the topic of
outcomes, published once and only after it is committed. Notifications and an audit follow from outcomes.

A set-up may put a prefix of its own before the names of all topics (`TOPIC_PREFIX`).

The key of every record but a checkpoint is the source wallet's id as lower-case text, and all topics have the same
number of partitions.
Clients built on librdkafka need `partitioner=murmur2_random`, so that they choose the same partition as all others do.
Readers should set `isolation.level=read_committed`, pass over members and headers that they do not know, and be ready
for codes that they do not know: the lists may grow. Values are JSON in UTF-8 (RFC 8259), a key at most once in every
object. Amounts are decimal texts, times RFC 3339, currencies ISO 4217.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What stands on a topic. ``headers`` are those it always has, and those it may have."""

    topic: Topic
    name: str
    title: str
    summary: str
    headers: tuple[tuple[str, ...], tuple[str, ...]]
    example_headers: dict[str, str]
    example: Any
    is_of_a_transfer: bool = True

    @property
    def channel(self) -> str:
        """Its name among the channels."""
        return self.topic.name.replace(".", "-")


_SENT = {headers.SOURCE_OFFSET: "118", headers.TRACEPARENT: samples.TRACEPARENT}
_REQUEST_EXAMPLE = {"transfer_id": samples.TRANSFER, **samples.ORDER, "requested_at": samples.ASKED_AT}
_OUTCOME_EXAMPLE = {**_REQUEST_EXAMPLE, **samples.COMPLETED}

MESSAGES = (
    Message(
        topic=TRANSFERS_REQUESTED,
        name=REQUEST,
        title="Transfer request",
        summary="Money to move. Send it again as it was until you know its outcome: it is applied once.",
        headers=(
            (),
            (
                headers.TRACEPARENT,
                headers.REQUEST_ID,
                headers.SIGNATURE,
                headers.REPLAY_OF,
                headers.REPLAY_ATTEMPT,
            ),
        ),
        example_headers={headers.TRACEPARENT: samples.TRACEPARENT, headers.REQUEST_ID: "order-1815"},
        example=_REQUEST_EXAMPLE,
    ),
    Message(
        topic=TRANSFERS_OUTCOMES,
        name=OUTCOME,
        title="Transfer outcome",
        summary="What became of a request: COMPLETED or FAILED, for ever.",
        headers=((headers.SOURCE_OFFSET,), (headers.TRACEPARENT, headers.REPUBLISHED)),
        example_headers=_SENT,
        example=_OUTCOME_EXAMPLE,
    ),
    Message(
        topic=NOTIFICATIONS,
        name=NOTIFICATION,
        title="Notification",
        summary="Tells one party of a transfer; the receiver only of a completed one.",
        headers=((headers.SOURCE_OFFSET,), (headers.TRACEPARENT,)),
        example_headers=_SENT,
        example={
            "transfer_id": samples.TRANSFER,
            "recipient": "sender",
            "user_id": samples.ADA,
            "wallet_id": samples.ADAS_WALLET,
            "email": samples.ACCOUNT["email"],
            **{name: _OUTCOME_EXAMPLE[name] for name in ("status", "reason", "amount", "currency", "reference")},
            "completed_at": samples.DONE_AT,
        },
    ),
    Message(
        topic=AUDIT,
        name=AUDIT_RECORD,
        title="Audit record",
        summary="An outcome in a chain of hashes, one chain for each partition.",
        headers=((headers.SOURCE_OFFSET,), (headers.TRACEPARENT,)),
        example_headers=_SENT,
        example=orjson.loads(chain_record(_OUTCOME_EXAMPLE, outcome_offset=0, sequence=0, prev_hash=GENESIS_HASH)[0]),
    ),
    Message(
        topic=AUDIT_CHECKPOINTS,
        name=CHECKPOINT,
        title="Checkpoint of the audit",
        summary="What all partitions of the audit held at a moment, signed. All are on one partition.",
        headers=((), ()),
        example_headers={},
        example=orjson.loads(
            encode_checkpoint(
                sign_checkpoint(
                    Ed25519PrivateKey.from_private_bytes(bytes(32)),
                    topic=AUDIT.name,
                    time=samples.DONE_AT,
                    after=None,
                    trees=[empty_tree(0)],
                    positions=[Position(next_offset=0, peaks=[])],
                )
            )
        ),
        is_of_a_transfer=False,
    ),
    Message(
        topic=DEAD_LETTERS,
        name=_DEAD_LETTER,
        title="Dead letter",
        summary="A record that cannot become a transfer: its bytes and own headers untouched, then why, in headers.",
        headers=(headers.DEAD_LETTER_HEADERS, ()),
        example_headers=dict(
            zip(
                headers.DEAD_LETTER_HEADERS,
                (TRANSFERS_REQUESTED.name, "3", "119", str(_CAUSE), _CAUSE.meaning),
                strict=True,
            )
        ),
        example=_REQUEST_EXAMPLE,
    ),
    Message(
        topic=TRANSFERS_RATES,
        name=RATE,
        title="Rate",
        summary="What a wallet pays in a minute. The last record of a wallet, currency and minute counts.",
        headers=((headers.SOURCE_OFFSET,), ()),
        example_headers={headers.SOURCE_OFFSET: "118"},
        example={
            "wallet_id": samples.ADAS_WALLET,
            "currency": _OUTCOME_EXAMPLE["currency"],
            "minute": samples.DONE_AT[:16] + ":00Z",
            "transfers": 1,
            "volume": _OUTCOME_EXAMPLE["amount"],
        },
    ),
)

_KEY: Schema = {
    "type": "string",
    "format": "uuid",
    "description": "The source wallet's id, in lower case.",
    "examples": [samples.ADAS_WALLET],
}


_ANY_KEY: Schema = {"description": "That of the record that was set aside, whatever it was."}
_NO_KEY: Schema = {"type": "null", "description": "None."}


def asyncapi(version: str) -> dict[str, Any]:
    """The document of this version of the program."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Transfers over Kafka",
            "version": version,
            "description": _DESCRIPTION.strip(),
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "description": "Any broker of the cluster. Outside of one machine, SASL over TLS.",
                "variables": {"bootstrap": {"default": "127.0.0.1:9092", "description": "KAFKA_BOOTSTRAP_SERVERS."}},
            }
        },
        "channels": {message.channel: _channel(message) for message in MESSAGES},
        "operations": dict(_operation(message) for message in MESSAGES),
        "components": {"messages": {message.name: _message(message) for message in MESSAGES}},
    }


def _channel(message: Message) -> dict[str, Any]:
    topic = message.topic
    return {
        "address": topic.name,
        "title": message.title,
        "summary": message.summary,
        "messages": {message.name: {"$ref": f"#/components/messages/{message.name}"}},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": PARTITIONS_DEFAULT,
                "topicConfiguration": {
                    "cleanup.policy": [topic.config["cleanup.policy"]],
                    "retention.ms": topic.retention_ms,
                    "max.message.bytes": topic.record_bytes_max,
                },
                "bindingVersion": _BINDING,
            }
        },
    }


def _operation(message: Message) -> tuple[str, dict[str, Any]]:
    channel = f"#/channels/{message.channel}"
    action = "receive" if message.topic is TRANSFERS_REQUESTED else "send"
    return f"{action}-{message.name}", {
        "action": action,
        "channel": {"$ref": channel},
        "summary": message.summary,
        "messages": [{"$ref": f"{channel}/messages/{message.name}"}],
    }


def _message(message: Message) -> dict[str, Any]:
    schema = value_schemas().get(message.name)
    described: dict[str, Any] = {
        "name": message.name,
        "title": message.title,
        "summary": message.summary,
        "contentType": "application/json" if schema else "application/octet-stream",
        "headers": headers_schema(*message.headers),
        "bindings": {"kafka": {"key": _key_of(message), "bindingVersion": _BINDING}},
        "examples": [{"name": "example", "headers": message.example_headers, "payload": message.example}],
    }
    if schema is not None:
        # Of a later dialect than the document's own, but with no word that the two read in different ways.
        described["payload"] = {name: value for name, value in schema.items() if not name.startswith("$")}
        if "transfer_id" in schema["properties"]:
            described["correlationId"] = {"location": "$message.payload#/transfer_id"}
    return described


def _key_of(message: Message) -> Schema:
    if message.topic is DEAD_LETTERS:
        return _ANY_KEY
    return _KEY if message.is_of_a_transfer else _NO_KEY
