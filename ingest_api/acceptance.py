"""The 202 that follows Kafka's confirmation, and the header that makes a retry safe."""

from typing import Annotated

import msgspec
from fastapi import Header, Response

from ingest_api.services import Services
from ingest_api.submission import Accepted
from schemas.transfers import format_time

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x20-\x7e]+$",
        description="The same key gives the same transfer. Printable ASCII.",
    ),
]

_ENCODER = msgspec.json.Encoder()


def receipt_response(services: Services, accepted: Accepted) -> Response:
    """202 with the receipt, and in ``Location`` where to ask for the outcome."""
    receipt = accepted.receipt
    token = services.receipts.sign(receipt)
    location = f"/v1/transfers/{receipt.transfer_id}?receipt={token}"
    document = {
        "transfer_id": receipt.transfer_id,
        "status": "PENDING",
        "topic": services.topic,
        "partition": receipt.partition,
        "offset": receipt.offset,
        "accepted_at": format_time(accepted.accepted_at),
        "receipt": token,
        "location": location,
    }
    return Response(_ENCODER.encode(document), 202, {"Location": location}, "application/json")
