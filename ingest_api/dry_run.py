"""The answer to a dry run."""

from fastapi import Response

from ingest_api.services import Services
from ingest_api.tokens import Caller
from ingest_api.visibility import sees_all
from schemas.codes import FailureReason
from schemas.http_draws import Verdict
from schemas.money import format_units
from schemas.transfers import TransferRequest


async def rehearsed(services: Services, caller: Caller, request: TransferRequest) -> Response:
    """200 with what would become of a request of the caller's, who may take money out of its source.

    Raises DatabaseAwayError.
    """
    transfer = await services.rehearsal.verdict(request)
    owners = await services.owners.known([request.destination_wallet_id])
    owner = owners.get(request.destination_wallet_id)
    sees_both = sees_all(caller) or (owner is not None and owner.user_id == caller.user_id)
    verdict = Verdict(
        verdict="COMPLETED" if transfer.reason is None else "FAILED",
        reason=transfer.reason,
        detail=None if transfer.reason is None else _explained(transfer.reason),
        source_balance=_text(transfer.source_units),
        destination_balance=_text(transfer.destination_units) if sees_both else None,
    )
    return Response(verdict.model_dump_json(), 200, media_type="application/json")


def _explained(reason: str) -> str:
    [found] = [known for known in FailureReason if known == reason]
    return found.explanation


def _text(units: int | None) -> str | None:
    return None if units is None else format_units(units)
