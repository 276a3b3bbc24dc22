"""Reading request records: orders for the ledger, and dead letters for what cannot be one."""

from collections.abc import Iterable

import msgspec

from schemas import headers
from schemas.codes import DeadLetterCause
from schemas.transfers import InvalidRequestError, MalformedRequestError, decode_request
from sinks.kafka.records import Consumed, Record
from sinks.ledger.types import Order

DETAIL_CHARS_MAX = 500


class DeadLetter(msgspec.Struct):
    """A record set aside: why, in a code and in words."""

    record: Consumed
    cause: str
    detail: str


def read_requests(records: Iterable[Consumed]) -> tuple[list[Order], list[DeadLetter]]:
    """Sort records into orders and dead letters, each in the order of offsets."""
    orders: list[Order] = []
    dead: list[DeadLetter] = []
    for record in records:
        try:
            request, units = decode_request(record.value)
        except MalformedRequestError as error:
            dead.append(DeadLetter(record, DeadLetterCause.UNDECODABLE, str(error)))
            continue
        except InvalidRequestError as error:
            dead.append(DeadLetter(record, DeadLetterCause.INVALID_REQUEST, str(error)))
            continue
        if record.key == request.source_wallet_id.encode():
            orders.append(Order(request, units, record.partition, record.offset))
        else:
            dead.append(DeadLetter(record, DeadLetterCause.WRONG_KEY, DeadLetterCause.WRONG_KEY.meaning))
    return orders, dead


def dead_letter_record(letter: DeadLetter) -> Record:
    """The record for the dead-letter topic: the bytes untouched, the source and the cause in headers after its own."""
    record = letter.record
    added: headers.Headers = [
        (headers.SOURCE_TOPIC, record.topic.encode()),
        (headers.SOURCE_PARTITION, str(record.partition).encode()),
        (headers.SOURCE_OFFSET, str(record.offset).encode()),
        (headers.CAUSE, letter.cause.encode()),
        (headers.DETAIL, letter.detail[:DETAIL_CHARS_MAX].encode("utf-8", "backslashreplace")),
    ]
    return Record(record.key, record.value, [*record.headers, *added])
