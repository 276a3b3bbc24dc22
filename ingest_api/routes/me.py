"""The caller's own account."""

from fastapi import APIRouter, Request, Response

from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.client_address import client_address
from ingest_api.deactivation import deactivate
from ingest_api.examples import answers, takes
from ingest_api.logins import change_password, confirm_password
from ingest_api.problem_responses import problems
from ingest_api.problems import ProblemError, unauthenticated
from ingest_api.services import services_of
from schemas.accounts import Deactivation, PasswordChange, User
from schemas.codes import ProblemCode
from schemas.samples import ACCOUNT

router = APIRouter(tags=["users"], route_class=AuthenticatedRoute)


@router.get("/v1/me", responses=answers(200, ACCOUNT) | problems(401, 503))
async def read_me(request: Request) -> User:
    """The caller's account."""
    found = await services_of(request).users.find(caller_of(request).user_id)
    if found is None or found.status != "active":
        raise _no_longer_active()
    return User.model_validate(found)


@router.put(
    "/v1/me/password",
    status_code=204,
    response_class=Response,
    responses=problems(400, 401, (403, ProblemCode.INVALID_CREDENTIALS), 413, 422, 429, 503, ProblemCode.OVERLOADED),
    openapi_extra=takes({"current_password": "rain on a tin roof", "new_password": "tea at half past four"}),
)
async def replace_password(request: Request, body: PasswordChange) -> None:
    """Another password. Ends every login of the account: log in again with the new one.

    The rules are those for a new account.
    """
    if not await change_password(services_of(request), caller_of(request), body, client_address(request)):
        raise _no_longer_active()


@router.post(
    "/v1/me/deactivate",
    status_code=204,
    response_class=Response,
    responses=problems(
        *(400, 401, (403, ProblemCode.INVALID_CREDENTIALS), ProblemCode.LAST_ADMIN, 413, 422, 429, 503),
        ProblemCode.OVERLOADED,
    ),
    openapi_extra=takes({"current_password": "rain on a tin roof"}),
)
async def deactivate_me(request: Request, body: Deactivation) -> None:
    """Close the caller's account: nobody can log in to it any more, and every login ends within seconds.

    Its wallets stay as they are. Transfers that were accepted before are decided as ever, and money that is sent to
    the wallets arrives. An admin can reactivate the account.
    """
    services, caller = services_of(request), caller_of(request)
    if await confirm_password(services, caller, body.current_password, client_address(request)) is None:
        raise _no_longer_active()
    await deactivate(services, caller.user_id, by=caller)


def _no_longer_active() -> ProblemError:
    return unauthenticated("The account is no longer active.")
