"""How a submission is answered, 202 once Kafka has it or 200 with its outcome; the header that makes a retry safe."""

import re
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from uuid_utils import uuid7

from ingest_api.caller import caller_of
from ingest_api.examples import answers
from ingest_api.preferences import APPLIED, APPLIED_HEADER, PREFER_PARAMETER, WAITED_KEY, wait_s_of
from ingest_api.problem_responses import LOCATION
from ingest_api.problems import invalid_request
from ingest_api.services import Services, services_of
from ingest_api.submission import Accepted, Order
from ingest_api.waiting import Deadline, outcome_of, waiting_for
from schemas import samples
from schemas.http import Transfer
from schemas.transfers import format_time

KEY_HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotent-Replayed"
KEY_PARAMETER: dict[str, Any] = {
    "parameters": [
        {
            "name": KEY_HEADER,
            "in": "header",
            "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
            "description": "The same key gives the same transfer. Printable ASCII.",
            "example": "rent of May",
        }
    ]
}
"""The header as OpenAPI has it; reading it here costs a tenth of what FastAPI takes."""

SUBMISSION_PARAMETERS: dict[str, Any] = {"parameters": [*KEY_PARAMETER["parameters"], PREFER_PARAMETER]}
"""Likewise, all headers of a submission."""

_REPLAYED = {
    REPLAYED_HEADER: {
        "description": "There, and `true`, if this was accepted before, under the same key or id.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
SUBMISSION_RESPONSES = answers(
    200,
    samples.OUTCOME,
    model=Transfer,
    description="What became of it, within the time that `Prefer` allows.",
    headers={**_REPLAYED, **APPLIED_HEADER},
) | answers(
    202,
    samples.RECEIPT,
    description="Kafka holds the request on all of its in-sync replicas.",
    headers={**LOCATION["headers"], **_REPLAYED, **APPLIED_HEADER},
)
"""What a route that ends in `answer_submission` answers when all is well."""

_KEY = re.compile(r"[\x20-\x7e]{1,255}")
_ENCODER = msgspec.json.Encoder()


async def answer_submission(request: Request, order: Order, transfer_id: str | None) -> Response:
    """Submit the caller's order under this id, or a new one, and answer: with a receipt, or with the outcome for a
    client that would rather wait (RFC 7240).

    Raises ProblemError: 422 and 503 as `Submitter.submit` does; who waits, gets 422 and 409 for a request that was read
    and set aside, too.
    """
    services, caller = services_of(request), caller_of(request)
    wait_s = wait_s_of(request.headers)
    if not wait_s:
        return receipt_response(services, await services.submitter.submit(caller, order, transfer_id))
    request.scope[WAITED_KEY] = True
    chosen_id = transfer_id or str(uuid7())
    deadline = Deadline(wait_s)
    async with waiting_for(services, caller, chosen_id, deadline) as waiting:
        accepted = await services.submitter.submit(caller, order, chosen_id, is_repeatable=transfer_id is not None)
        row = None if waiting is None else await outcome_of(request, accepted, waiting, deadline)
    if row is None:
        answer = receipt_response(services, accepted)
    else:
        document = Transfer.model_validate(row).model_dump_json().encode()
        headers = {"Content-Location": f"/v1/transfers/{row.transfer_id}", **_replayed(accepted)}
        answer = Response(document, 200, headers, "application/json")
    if waiting is not None:
        answer.headers[APPLIED] = f"wait={wait_s}"
    return answer


def receipt_response(services: Services, accepted: Accepted) -> Response:
    """202 with the receipt, and in ``Location`` where to ask for the outcome."""
    document, location = receipt_document(services, accepted)
    return Response(document, 202, {"Location": location, **_replayed(accepted)}, "application/json")


def _replayed(accepted: Accepted) -> dict[str, str]:
    return {REPLAYED_HEADER: "true"} if accepted.is_replay else {}


def receipt_document(services: Services, accepted: Accepted) -> tuple[bytes, str]:
    """The receipt as JSON, and where to ask for the outcome."""
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
    return _ENCODER.encode(document), location


def idempotency_key(request: Request) -> str | None:
    """The key that a client gave. Raises ProblemError (422)."""
    keys = request.headers.getlist(KEY_HEADER)
    if not keys:
        return None
    if len(keys) > 1 or not is_key(keys[0]):
        raise invalid_request((KEY_HEADER, "must be a single text of 1 to 255 printable ASCII characters"))
    return keys[0]


def is_key(text: str) -> bool:
    """Whether a client may use it as a key."""
    return _KEY.fullmatch(text) is not None
