"""Transfers: submitting them, and asking what became of them."""

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.convertors import Convertor, register_url_convertor

from ingest_api.acceptance import SUBMISSION_PARAMETERS, SUBMISSION_RESPONSES, answer_submission, idempotency_key
from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.dry_run import rehearsed
from ingest_api.examples import answers, answers_either, takes
from ingest_api.preferences import APPLIED, APPLIED_HEADER, PREFER_PARAMETER, WAITED_KEY, wait_s_of
from ingest_api.problem_responses import problems
from ingest_api.problems import ProblemError, invalid_request, transfer_not_found
from ingest_api.receipts import CONTENT_BYTES
from ingest_api.receipts import Receipt as SignedReceipt
from ingest_api.services import Services, services_of
from ingest_api.submission import Order, is_of, transfer_id_of_key
from ingest_api.tokens import Caller
from ingest_api.visibility import sees_all, visible_part
from ingest_api.waiting import Deadline, told, waiting_for
from schemas import draw_samples, samples
from schemas.codes import ProblemCode
from schemas.http import NewTransfer, PendingTransfer, Receipt, Transfer
from schemas.http_draws import Verdict

DryRun = Annotated[bool, Query(description="Decide by the same rules, and write nothing.")]


class _OneName(Convertor[str]):
    """Any name but those of routes beside this one, so that theirs alone say which methods they take."""

    regex = "(?!(?:batch|events)$)[^/]+"

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
    responses=SUBMISSION_RESPONSES
    | answers_either(
        200,
        {"outcome": samples.OUTCOME, "dry run": draw_samples.VERDICT},
        model=Transfer | Verdict,
        description="What became of it, within the time that `Prefer` allows, or what a dry run came to.",
        headers=SUBMISSION_RESPONSES[200]["headers"],
    )
    | problems(
        *(400, 401, 403, ProblemCode.WALLET_NOT_FOUND, ProblemCode.TRANSFER_REJECTED, 413),
        *(422, ProblemCode.IDEMPOTENCY_KEY_REUSED, 503, ProblemCode.BROKER_UNAVAILABLE),
    ),
    openapi_extra=takes(samples.ORDER, **SUBMISSION_PARAMETERS),
)
async def submit_transfer(
    request: Request,
    body: NewTransfer,
    dry_run: DryRun = False,  # noqa: FBT002 (a query parameter)
) -> Response:
    """Move money out of a wallet of the caller's (an admin: of anyone's).

    202 says that Kafka holds the request on all of its in-sync replicas; follow `Location` for the outcome. With
    `Prefer: wait=SECONDS` the answer is 200 with the outcome, if that is published in time. With `dry_run` nothing is
    sent: 200 says what would become of it now.

    The same key (or `transfer_id`) and content have the same answer, whichever process is asked, before and after
    restarts; with other content it is 422 `idempotency_key_reused`. Where the first use is so young that nobody has
    read it yet, the repeat gets a receipt of its own for the same transfer, and other content is refused when its
    outcome is asked or waited for (409 or 422).
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
    if dry_run:
        return await rehearsed(services, caller, order.request(transfer_id))
    return await answer_submission(request, order, transfer_id)


@router.get(
    "/v1/transfers/{transfer_id:transfer}",
    responses=answers(200, samples.OUTCOME, headers=APPLIED_HEADER)
    | problems(
        *(401, ProblemCode.TRANSFER_NOT_FOUND, ProblemCode.TRANSFER_REJECTED),
        *((409, ProblemCode.IDEMPOTENCY_KEY_REUSED), 422, 503),
    ),
    openapi_extra={"parameters": [PREFER_PARAMETER]},
)
async def read_transfer(
    request: Request, response: Response, transfer_id: UUID, receipt: ReceiptToken = None
) -> Transfer | PendingTransfer:
    """COMPLETED or FAILED, as decided; PENDING for a request that its receipt proves and that has not been applied.

    With `Prefer: wait=SECONDS` a pending transfer is answered when it is decided, or at the end of that time.
    409 `transfer_rejected`: the request was read, and set aside as a dead letter. 409 `idempotency_key_reused`: the
    request that the receipt is for was, because its key or id stands for a transfer of other content.
    """
    services, caller = services_of(request), caller_of(request)
    accepted = _accepted(services, caller, str(transfer_id), receipt)
    wait_s = wait_s_of(request.headers)
    if not wait_s or accepted is None:
        return await _look_up(services, caller, str(transfer_id), accepted)
    request.scope[WAITED_KEY] = True
    deadline = Deadline(wait_s)
    async with waiting_for(services, caller, str(transfer_id), deadline) as waiting:
        found = await _look_up(services, caller, str(transfer_id), accepted)
        if waiting is not None:
            response.headers[APPLIED] = f"wait={wait_s}"
            if isinstance(found, PendingTransfer) and await told(request, waiting.wait, accepted, deadline):
                return await _look_up(services, caller, str(transfer_id), accepted)
    return found


async def _look_up(
    services: Services, caller: Caller, transfer_id: str, accepted: SignedReceipt | None
) -> Transfer | PendingTransfer:
    found = await services.transfers.find(transfer_id, accepted.partition if accepted else None)
    visible = visible_part(caller, found.row) if found.row else None
    if visible is not None:
        if accepted is not None and not is_of(accepted, visible):
            raise ProblemError(409, ProblemCode.IDEMPOTENCY_KEY_REUSED)
        return Transfer.model_validate(visible)
    if accepted is None:
        raise transfer_not_found()
    if found.next_offset is None or found.next_offset <= accepted.offset:
        return PendingTransfer(transfer_id=accepted.transfer_id)
    raise ProblemError(409, ProblemCode.TRANSFER_REJECTED)


def _accepted(services: Services, caller: Caller, transfer_id: str, token: str | None) -> SignedReceipt | None:
    """The caller's receipt of this transfer: the one given, or the one this process remembers.

    Only who shows a receipt asks what became of that very request; else the id alone says what is meant.
    """
    given = services.receipts.read(token) if token else None
    recalled = services.submitter.recall(transfer_id)
    if recalled is not None:
        recalled = msgspec.structs.replace(recalled, content=bytes(CONTENT_BYTES))
    for receipt in (given, recalled):
        if receipt is None or receipt.transfer_id != transfer_id:
            continue
        if receipt.owner_id == caller.user_id or sees_all(caller):
            return receipt
    return None
