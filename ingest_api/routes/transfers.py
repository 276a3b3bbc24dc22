"""Transfers: submitting them, and asking what became of them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from starlette.convertors import Convertor, register_url_convertor

from ingest_api.acceptance import KEY_PARAMETER, idempotency_key, receipt_response
from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.examples import answers, takes
from ingest_api.problem_responses import problems
from ingest_api.problems import ProblemError, invalid_request, transfer_not_found
from ingest_api.receipts import Receipt as SignedReceipt
from ingest_api.services import Services, services_of
from ingest_api.submission import Order, transfer_id_of_key
from ingest_api.tokens import Caller
from ingest_api.visibility import sees_all, visible_part
from schemas import samples
from schemas.codes import ProblemCode
from schemas.http import NewTransfer, PendingTransfer, Receipt, Transfer


class _OneName(Convertor[str]):
    """Any name but those of routes beside this one, so that theirs alone say which methods they take."""

    regex = "(?!batch$)[^/]+"

    def convert(self, value: str) -> str:
        """Nothing to convert: FastAPI checks the id."""
        return value

    def to_string(self, value: str) -> str:
        """Likewise."""
        return value


register_url_convertor("transfer", _OneName())

router = APIRouter(tags=["transfers"], route_class=AuthenticatedRoute)

ReceiptToken = Annotated[str | None, Query(max_length=200, description="From the `Location` of the 202.")]


@router.post(
    "/v1/transfers",
    status_code=202,
    response_model=Receipt,
    responses=answers(202, samples.RECEIPT)
    | problems(
        *(400, 401, 403, ProblemCode.WALLET_NOT_FOUND, 413),
        *(422, ProblemCode.IDEMPOTENCY_KEY_REUSED, 503, ProblemCode.BROKER_UNAVAILABLE),
    ),
    openapi_extra=takes(samples.ORDER, **KEY_PARAMETER),
)
async def submit_transfer(request: Request, body: NewTransfer) -> Response:
    """Move money out of a wallet of the caller's (an admin: of anyone's).

    202 says that Kafka holds the request on all of its in-sync replicas; follow `Location` for the outcome.
    """
    services, caller, key = services_of(request), caller_of(request), idempotency_key(request)
    if key is not None and body.transfer_id is not None:
        raise invalid_request(("transfer_id", "give either a transfer_id or an Idempotency-Key, not both"))
    await services.owners.require_access(caller, body.source_wallet_id)
    order = Order(
        kind="transfer",
        source_wallet_id=body.source_wallet_id,
        destination_wallet_id=body.destination_wallet_id,
        amount=body.amount,
        currency=body.currency,
        reference=body.reference,
        metadata=body.metadata,
    )
    transfer_id = body.transfer_id if key is None else transfer_id_of_key(caller, key)
    return receipt_response(services, await services.submitter.submit(caller, order, transfer_id))


@router.get(
    "/v1/transfers/{transfer_id:transfer}",
    responses=answers(
        200,
        {"transfer_id": samples.TRANSFER, **samples.ORDER, "requested_at": samples.ASKED_AT, **samples.COMPLETED},
    )
    | problems(401, ProblemCode.TRANSFER_NOT_FOUND, ProblemCode.TRANSFER_REJECTED, 422, 503),
)
async def read_transfer(
    request: Request, transfer_id: UUID, receipt: ReceiptToken = None
) -> Transfer | PendingTransfer:
    """COMPLETED or FAILED, as decided; PENDING for a request that its receipt proves and that has not been applied.

    409 `transfer_rejected`: the request was read, and set aside as a dead letter.
    """
    services, caller = services_of(request), caller_of(request)
    accepted = _accepted(services, caller, str(transfer_id), receipt)
    found = await services.transfers.find(str(transfer_id), accepted.partition if accepted else None)
    visible = visible_part(caller, found.row) if found.row else None
    if visible is not None:
        return Transfer.model_validate(visible)
    if accepted is None:
        raise transfer_not_found()
    if found.next_offset is None or found.next_offset <= accepted.offset:
        return PendingTransfer(transfer_id=accepted.transfer_id)
    raise ProblemError(409, ProblemCode.TRANSFER_REJECTED)


def _accepted(services: Services, caller: Caller, transfer_id: str, token: str | None) -> SignedReceipt | None:
    """The caller's receipt of this transfer: the one given, or the one this process remembers."""
    given = services.receipts.read(token) if token else None
    for receipt in (given, services.submitter.recall(transfer_id)):
        if receipt is None or receipt.transfer_id != transfer_id:
            continue
        if receipt.owner_id == caller.user_id or sees_all(caller):
            return receipt
    return None
