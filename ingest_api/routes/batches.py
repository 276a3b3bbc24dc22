"""Many transfers in one request."""

from typing import Any

from fastapi import APIRouter, Request, Response

from ingest_api.batch_answer import BatchAnswer
from ingest_api.batch_outbox import MEDIA_TYPE
from ingest_api.batch_submission import BatchSubmission
from ingest_api.body_limits import BATCH_PATH
from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.draining import draining_of
from ingest_api.problem_responses import problems
from ingest_api.problems import ProblemError
from ingest_api.services import services_of
from schemas.codes import ProblemCode

router = APIRouter(tags=["transfers"], route_class=AuthenticatedRoute)

_SOURCE, _DESTINATION = "0190f5a2-6d7e-7c3b-9a51-2f60c1d4e8b7", "0190f5a2-8b1c-7f4d-8e02-5a9b3c7d6e1f"
_ID = "0190f5a3-1111-7000-8000-000000000001"
_LINE_IN = (
    f'{{"source_wallet_id":"{_SOURCE}","destination_wallet_id":"{_DESTINATION}","amount":"12.50","currency":"EUR",'
    '"idempotency_key":"rent of May"}\n'
)
_LINES_OUT = (
    f'{{"line":1,"transfer_id":"{_ID}","status":"PENDING","location":"/v1/transfers/{_ID}?receipt=AQGQ"}}\n'
    '{"line":2,"type":"urn:hfts:problem:wallet_not_found","title":"Wallet not found","status":404,'
    '"detail":"Check the wallet\'s id.","code":"wallet_not_found","instance":"/v1/transfers/batch",'
    '"doc_url":"/v1/errors/wallet_not_found","request_id":"7"}\n'
)


def _ndjson(schema: dict[str, Any], example: str) -> dict[str, Any]:
    """The schema is that of each line."""
    return {MEDIA_TYPE: {"schema": schema, "examples": {"lines": {"value": example}}}}


_REFERENCE = "#/components/schemas/{}"
_REQUEST = {"$ref": _REFERENCE.format("NewTransferLine")}
_RESULT = {"anyOf": [{"$ref": _REFERENCE.format(name)} for name in ("AcceptedLine", "RefusedLine")]}


@router.post(
    BATCH_PATH,
    response_class=Response,
    responses={
        200: {"description": "A result for each line, in order.", "content": _ndjson(_RESULT, _LINES_OUT)},
        **problems(400, 401, 413, 415, 422, 429, 503, ProblemCode.OVERLOADED),
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "Transfers, one a line (NDJSON): at most 10,000 lines, 64 KiB each, 16 MiB in all.",
            "content": _ndjson(_REQUEST, _LINE_IN),
        }
    },
)
async def submit_batch(request: Request) -> Response:
    """Move money many times: what `POST /v1/transfers` does, for each line by itself.

    200 says nothing about a line but that it has a result, which is sent while later lines still come in: PENDING once
    Kafka holds the transfer on all of its in-sync replicas, or a problem. A problem spoils no other line, unless it
    says that nothing more was read. Send refused lines again, or all: with the same keys or ids they are the same.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != MEDIA_TYPE:
        raise ProblemError(415, ProblemCode.UNSUPPORTED_MEDIA_TYPE, headers={"Accept": MEDIA_TYPE})
    services, caller = services_of(request), caller_of(request)
    submission = BatchSubmission(services.submitter, services.owners, caller)
    return BatchAnswer(submission, services.receipts, caller, draining_of(request))
