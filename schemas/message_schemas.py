"""JSON Schemas (2020-12) of what stands on the topics, values and headers.

The structs that the program encodes and decodes with give fields, types and what is required. What a struct cannot say
(ids, amounts, lengths of texts) is added here by the name of the field, from the constants that the checks use. A test
compares the two with what the program writes, takes and refuses; what JSON Schema cannot say stands in the texts.
"""

from typing import Any

import msgspec

from schemas import headers
from schemas.checkpoints import STATEMENT_TYPE, Position, Statement, Tree
from schemas.codes import DeadLetterCause, FailureReason
from schemas.money import AMOUNT_PATTERN
from schemas.notifications import Notification
from schemas.rates import Rate
from schemas.transfers import (
    CURRENCIES,
    METADATA_KEY_CHARS_MAX,
    METADATA_KEYS_MAX,
    METADATA_VALUE_CHARS_MAX,
    REFERENCE_CHARS_MAX,
    Outcome,
    TransferRequest,
)

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_HEX_ANY, _HEX_LOWER = "[0-9a-fA-F]", "[0-9a-f]"
_FORMATTED = r"(0|[1-9][0-9]{0,13})\.[0-9]{4}"
_YEAR = "(19[7-9][0-9]|[2-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])"
_DAY_AND_TIME = r"-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](\.[0-9]{1,6})?"
_STORABLE = "^[^\\u0000]*$"
_COUNT = "^(0|[1-9][0-9]*)$"


def _uuid(hexadecimal: str) -> Schema:
    pattern = "-".join(f"{hexadecimal}{{{digits}}}" for digits in (8, 4, 4, 4, 12))
    return {"format": "uuid", "pattern": f"^{pattern}$"}


def _time(offset: str) -> Schema:
    return {"format": "date-time", "pattern": f"^{_YEAR}{_DAY_AND_TIME}{offset}$"}


_CURRENCY: Schema = {"description": "An alphabetic code of ISO 4217, in capitals.", "examples": ["EUR"]}
_REFERENCE = "A text of the sender's."
_METADATA = "Texts of the sender's, by name."
_REASON: Schema = {
    "description": "Why it FAILED, else null.",
    "enum": [*FailureReason, None],
    "x-extensible": True,
}
_STATUS: Schema = {"enum": ["COMPLETED", "FAILED"]}

_KIND = "What it is, if no ordinary transfer."
_PARENT = "The hold or transfer that a capture, a void or a reversal draws on."
_END = "When what is left of a hold goes back."

_REQUEST_FIELDS: dict[str, Schema] = {
    "transfer_id": {
        **_uuid(_HEX_ANY),
        "description": "Chosen by the sender. The same id with the same content is the same transfer, for ever.",
    },
    "source_wallet_id": {**_uuid(_HEX_ANY), "description": "Who pays. In lower case it is the record's key."},
    "destination_wallet_id": {**_uuid(_HEX_ANY), "description": "Who is paid."},
    "amount": {
        "pattern": f"^{AMOUNT_PATTERN}$",
        "not": {"pattern": r"^0(\.0{1,4})?$"},
        "description": "A decimal text above 0, with at most 14 digits before and 4 after the point.",
        "examples": ["12.5000"],
    },
    "currency": {**_CURRENCY, "enum": sorted(CURRENCIES)},
    "requested_at": {
        **_time(r"(Z|[+-][0-9]{2}:[0-9]{2})"),
        "description": "RFC 3339 with an offset, of the years 1970 to 9998.",
    },
    "reference": {"maxLength": REFERENCE_CHARS_MAX, "pattern": _STORABLE, "description": _REFERENCE},
    "metadata": {
        "maxProperties": METADATA_KEYS_MAX,
        "propertyNames": {"maxLength": METADATA_KEY_CHARS_MAX, "pattern": _STORABLE},
        "additionalProperties": {"type": "string", "maxLength": METADATA_VALUE_CHARS_MAX, "pattern": _STORABLE},
        "description": _METADATA,
    },
    "kind": {"description": _KIND},
    "parent_id": {**_uuid(_HEX_ANY), "description": _PARENT},
    "expires_at": {**_time(r"(Z|[+-][0-9]{2}:[0-9]{2})"), "description": _END},
}

_OUTPUT_ID = {**_uuid(_HEX_LOWER), "description": "In lower case."}
_OUTPUT_TIME = {**_time("Z"), "description": "RFC 3339, in UTC."}
_BALANCE: Schema = {
    "pattern": f"^-?{_FORMATTED}$",
    "description": "After the transfer; null when it failed. Only world wallets are below 0.",
}
_VERSION: Schema = {
    "minimum": 1,
    "description": "The number of the wallet's entries after the transfer; null when it failed.",
}
_OUTPUT_FIELDS: dict[str, Schema] = {
    "transfer_id": _OUTPUT_ID,
    "source_wallet_id": _OUTPUT_ID,
    "destination_wallet_id": _OUTPUT_ID,
    "wallet_id": {**_OUTPUT_ID, "description": "The wallet of the one who is told."},
    "user_id": {**_OUTPUT_ID, "description": "Who is told."},
    "email": {"description": "Where to."},
    "recipient": {"description": "Which party of the transfer is told."},
    "amount": {"pattern": f"^{_FORMATTED}$", "description": "With four digits after the point."},
    "currency": _CURRENCY,
    "requested_at": _OUTPUT_TIME,
    "completed_at": _OUTPUT_TIME,
    "reference": {"description": _REFERENCE},
    "metadata": {"description": _METADATA},
    "kind": {"description": _KIND},
    "parent_id": {**_OUTPUT_ID, "description": _PARENT},
    "expires_at": {**_OUTPUT_TIME, "description": _END},
    "status": _STATUS,
    "reason": _REASON,
    "source_balance": _BALANCE,
    "source_version": _VERSION,
    "destination_balance": _BALANCE,
    "destination_version": _VERSION,
}

_RATE_FIELDS: dict[str, Schema] = {
    "wallet_id": {**_OUTPUT_ID, "description": "The wallet that pays. It is the record's key, too."},
    "currency": _CURRENCY,
    "minute": {**_time("Z"), "description": "When the minute begins, by the times of the transfers. RFC 3339, in UTC."},
    "transfers": {"minimum": 1, "description": "How many were completed so far."},
    "volume": {
        "pattern": r"^(0|[1-9][0-9]*)\.[0-9]{4}$",
        "description": "The sum of their amounts, a decimal text with four digits after the point.",
    },
}

_DIGEST: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_AUDIT_FIELDS: dict[str, Schema] = {
    "outcome_offset": {"type": "integer", "minimum": 0, "description": "Of the outcome, in the same partition."},
    "sequence": {"type": "integer", "minimum": 0, "description": "0, 1, 2, … within the partition."},
    "prev_hash": {**_DIGEST, "description": "The hash of the record before; 64 zeros in a partition's first."},
    "hash": {
        **_DIGEST,
        "description": "SHA-256 of the record without this member as canonical JSON: keys in code point order, UTF-8.",
    },
}

_STATEMENT_FIELDS: dict[str, Schema] = {
    "type": {"const": STATEMENT_TYPE, "description": "What it is, and by which rules."},
    "topic": {"description": "The name of the audit topic."},
    "number": {"minimum": 1, "description": "1, 2, 3, …"},
    "time": {**_OUTPUT_TIME, "description": "When it was signed."},
    "records": {"description": "Records of all partitions together."},
    "partitions": {"description": "The number of partitions."},
    "root": {**_DIGEST, "description": "Of the Merkle tree (RFC 6962) over `trees`, a leaf each, as canonical JSON."},
    "previous": {
        **_DIGEST,
        "description": "SHA-256 of the statement before, as canonical JSON; 64 zeros in the first.",
    },
    "key": {"pattern": "^[A-Za-z0-9_-]{43}$", "description": "The public key, base64url."},
}
_TREE_FIELDS: dict[str, Schema] = {
    "partition": {"description": "0, 1, 2, …"},
    "size": {"description": "The number of its first records that are signed."},
    "root": {**_DIGEST, "description": "Of the Merkle tree (RFC 6962) over these records, a leaf each: its `hash`."},
    "head": {**_DIGEST, "description": "The `hash` of the last of these records; 64 zeros where there is none."},
}
_POSITION_FIELDS: dict[str, Schema] = {
    "next_offset": {"description": "Where the next checkpoint goes on to read the partition."},
    "peaks": {"items": _DIGEST, "description": "Roots of the whole subtrees of its tree, from the largest on."},
}

REQUEST = "transfer-request"
OUTCOME = "transfer-outcome"
NOTIFICATION = "notification"
AUDIT_RECORD = "audit-record"
CHECKPOINT = "audit-checkpoint"
RATE = "rate"


def value_schemas() -> dict[str, Schema]:
    """The schemas of values, by the name of the message. A dead letter has none: its bytes may be anything."""
    outcome = _schema_of(Outcome, _OUTPUT_FIELDS)
    audit = {
        **outcome,
        "title": "AuditRecord",
        "description": "An outcome as a link of its partition's chain.",
        "properties": outcome["properties"] | _AUDIT_FIELDS,
        "required": [*outcome["required"], *_AUDIT_FIELDS],
    }
    found = {
        REQUEST: _schema_of(TransferRequest, _REQUEST_FIELDS),
        OUTCOME: outcome,
        NOTIFICATION: _schema_of(Notification, _OUTPUT_FIELDS),
        AUDIT_RECORD: audit,
        CHECKPOINT: _checkpoint(),
        RATE: _schema_of(Rate, _RATE_FIELDS),
    }
    return {name: {"$schema": DIALECT, "$id": f"urn:hfts:message:{name}", **schema} for name, schema in found.items()}


def _checkpoint() -> Schema:
    properties: dict[str, Schema] = {
        "statement": _schema_of(Statement, _STATEMENT_FIELDS),
        "signature": {
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]{86}$",
            "description": "Ed25519 (RFC 8032), of the statement as canonical JSON: keys in code point order, UTF-8.",
        },
        "trees": {
            "type": "array",
            "items": _schema_of(Tree, _TREE_FIELDS),
            "description": "What the statement's root is over: one for each partition.",
        },
        "positions": {
            "type": "array",
            "items": _schema_of(Position, _POSITION_FIELDS),
            "description": "Where the next checkpoint goes on, one for each partition. Not signed.",
        },
    }
    return {
        "title": "Checkpoint",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "description": "What all partitions of the audit held at a moment, signed.",
        "additionalProperties": False,
    }


def _schema_of(struct: type[msgspec.Struct], fields: dict[str, Schema]) -> Schema:
    (_,), found = msgspec.json.schema_components([struct])
    schema: Schema = found[struct.__name__]
    described = " ".join(schema["description"].split()).replace("``", "`")
    properties = {name: _refined(found, fields.get(name, {})) for name, found in schema["properties"].items()}
    return {**schema, "description": described, "properties": properties}


def _refined(found: Schema, rules: Schema) -> Schema:
    """What a struct says of a field, and these rules; null passes where the struct lets it."""
    is_nullable = {"type": "null"} in found.get("anyOf", [])
    if not is_nullable:
        return {**found, **rules}
    (what,) = [each for each in found["anyOf"] if each != {"type": "null"}]
    if "enum" in what:
        return {**what, "enum": [*what["enum"], None], **rules}
    kinds = what.pop("type")
    default = {"default": found["default"]} if "default" in found else {}
    return {"type": [kinds, "null"], **what, **rules, **default}


_HEADERS: dict[str, Schema] = {
    headers.SOURCE_OFFSET: {
        "pattern": _COUNT,
        "description": "Offset, in the same partition of the input topic, of the record that this one follows from.",
    },
    headers.SOURCE_TOPIC: {"description": "The topic that the record came from."},
    headers.SOURCE_PARTITION: {"pattern": _COUNT, "description": "Its partition there."},
    headers.CAUSE: {"enum": list(DeadLetterCause), "x-extensible": True, "description": "Why it was set aside."},
    headers.DETAIL: {"description": "Why, in words."},
    headers.REPLAY_OF: {
        "pattern": "^[0-9]+:[0-9]+$",
        "description": "On a request that was put back: partition and offset of its dead letter.",
    },
    headers.REPLAY_ATTEMPT: {
        **_uuid(_HEX_LOWER),
        "description": "Beside it: proves of a replay that it was published.",
    },
    headers.REPUBLISHED: {"description": "The outcome was published again, after its topic was lost: nobody is told."},
    headers.SIGNATURE: {"description": "A JWT, signed with Ed25519, over the SHA-256 of the value."},
    headers.TRACEPARENT: {
        "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
        "description": "W3C Trace Context. Carried on to whatever follows from the record.",
    },
    headers.REQUEST_ID: {
        "pattern": "^[A-Za-z0-9._:-]{1,128}$",
        "description": "The client's own Request-Id, where the request came over HTTP with one.",
    },
}


def headers_schema(required: tuple[str, ...], optional: tuple[str, ...]) -> Schema:
    """The schema of a record's headers as an object of texts. Others may stand beside them."""
    return {
        "type": "object",
        "properties": {name: {"type": "string", **_HEADERS[name]} for name in (*required, *optional)},
        "required": list(required),
    }
