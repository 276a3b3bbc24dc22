"""Records of each topic turned into rows of the temporary tables. Pure; ValueError for what we did not write."""

from typing import Any

import msgspec

from ops.reconcile.reading import (
    bigint,
    bytes_digest,
    digest_of,
    document_of,
    key_text,
    last_header,
    moment_of,
    source_offset_of,
    uuid_text,
)
from schemas.codes import DeadLetterCause
from schemas.headers import CAUSE, REPUBLISHED, SOURCE_OFFSET, SOURCE_PARTITION
from schemas.money import parse_units
from schemas.notifications import Notification
from schemas.transfers import InvalidRequestError, MalformedRequestError, Outcome, decode_request
from sinks.kafka.records import Consumed

Row = tuple[Any, ...]

_CAUSES = frozenset(DeadLetterCause)
_CHAIN_FIELDS = ("outcome_offset", "sequence", "prev_hash", "hash")


def request_row(record: Consumed) -> Row:
    """A row of rc_request; what the request deserves is judged by the rules the agent goes by."""
    start = (record.partition, record.offset, bytes_digest(record.key, record.value))
    try:
        request, units = decode_request(record.value)
    except MalformedRequestError:
        return (*start, DeadLetterCause.UNDECODABLE.value, *(None,) * 11)
    except InvalidRequestError:
        return (*start, DeadLetterCause.INVALID_REQUEST.value, *(None,) * 11)
    if record.key != request.source_wallet_id.encode():
        return (*start, DeadLetterCause.WRONG_KEY.value, *(None,) * 11)
    return (
        *start,
        None,
        request.transfer_id,
        request.source_wallet_id,
        request.destination_wallet_id,
        units,
        request.currency,
        request.requested_at,
        request.reference,
        _json_text(request.metadata),
        request.kind,
        request.parent_id,
        request.expires_at,
    )


def dead_letter_row(record: Consumed) -> Row:
    """A row of rc_dead_letter."""
    return (
        record.partition,
        record.offset,
        bytes_digest(record.key, record.value),
        _small(last_header(record, SOURCE_PARTITION)),
        bigint(last_header(record, SOURCE_OFFSET)),
        _cause(last_header(record, CAUSE)),
    )


def outcome_row(record: Consumed) -> Row:
    """A row of rc_outcome."""
    document = document_of(record.value)
    digest = digest_of(document)
    _refuse_unknown(document, Outcome)
    outcome = msgspec.convert(document, Outcome)
    return (
        record.partition,
        record.offset,
        digest,
        key_text(record.key),
        source_offset_of(record),
        uuid_text(outcome.transfer_id),
        uuid_text(outcome.source_wallet_id),
        uuid_text(outcome.destination_wallet_id),
        parse_units(outcome.amount),
        outcome.currency,
        moment_of(document["requested_at"]),
        None if outcome.reference is msgspec.UNSET else outcome.reference,
        None if outcome.metadata is msgspec.UNSET else _json_text(outcome.metadata),
        None if outcome.kind is msgspec.UNSET else outcome.kind,
        None if outcome.parent_id is msgspec.UNSET else uuid_text(outcome.parent_id),
        None if outcome.expires_at is msgspec.UNSET else moment_of(document["expires_at"]),
        outcome.status,
        outcome.reason,
        None if outcome.source_balance is None else parse_units(outcome.source_balance),
        None if outcome.source_version is None else bigint(outcome.source_version),
        None if outcome.destination_balance is None else parse_units(outcome.destination_balance),
        None if outcome.destination_version is None else bigint(outcome.destination_version),
        moment_of(document["completed_at"]),
        any(name == REPUBLISHED for name, _ in record.headers),
    )


def notification_row(record: Consumed) -> Row:
    """A row of rc_notification."""
    document = document_of(record.value)
    digest_of(document)  # refuses what has no UTF-8 form
    _refuse_unknown(document, Notification)
    notification = msgspec.convert(document, Notification)
    return (
        record.partition,
        record.offset,
        key_text(record.key),
        source_offset_of(record),
        uuid_text(notification.transfer_id),
        notification.recipient,
        uuid_text(notification.user_id),
        uuid_text(notification.wallet_id),
        notification.email,
        notification.status,
        notification.reason,
        parse_units(notification.amount),
        notification.currency,
        notification.reference,
        None if notification.kind is msgspec.UNSET else notification.kind,
        moment_of(document["completed_at"]),
    )


def audit_row(record: Consumed, document: dict[str, Any]) -> Row:
    """A row of rc_audit from a record that the chain verifier has passed."""
    outcome = {name: value for name, value in document.items() if name not in _CHAIN_FIELDS}
    return (
        record.partition,
        record.offset,
        digest_of(outcome),
        key_text(record.key),
        source_offset_of(record),
        bigint(document["outcome_offset"]) if type(document.get("outcome_offset")) is int else -1,
        uuid_text(str(document.get("transfer_id"))),
    )


def _refuse_unknown(document: dict[str, Any], struct: type[msgspec.Struct]) -> None:
    unknown = document.keys() - set(struct.__struct_fields__)
    if unknown:
        raise ValueError(f"has unknown fields {sorted(unknown)[:5]}")


def _cause(text: str) -> str:
    if text not in _CAUSES:
        raise ValueError(f"cause is {text[:50]!r}")
    return text


def _small(text: str) -> int:
    """A partition number, within an integer column."""
    number = bigint(text)
    if number >= 2**31:
        raise ValueError(f"{number} is no partition")
    return number


def _json_text(metadata: dict[str, str] | None) -> str | None:
    return None if metadata is None else msgspec.json.encode(metadata).decode()
