"""Which transfer a record of the request topic asks for."""

from schemas.transfers import InvalidRequestError, MalformedRequestError, decode_request
from sinks.kafka.records import Consumed


def id_of(record: Consumed) -> str | None:
    """Its id; None where the record is no request."""
    try:
        return decode_request(record.value)[0].transfer_id
    except (MalformedRequestError, InvalidRequestError):
        return None
