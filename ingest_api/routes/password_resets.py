"""Forgotten passwords: asking for another, and choosing it with a token that an admin has made (OWASP's Forgot Password
Cheat Sheet).

Nobody is sent anything: whoever asks waits in the admins' list, and an admin hands the token over on a way that both
trust. What is asked for an address that no account has looks the same from outside.
"""

from uuid import UUID

import structlog
from fastapi import APIRouter, Request, Response

from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.client_address import client_address
from ingest_api.examples import answers, takes
from ingest_api.logins import require_good_password
from ingest_api.opaque_tokens import Prefix, new_token, read_token
from ingest_api.problem_responses import problems
from ingest_api.problems import ProblemError
from ingest_api.services import services_of
from ingest_api.strict_route import StrictRoute
from schemas import samples
from schemas.codes import ProblemCode
from schemas.http_accounts import PasswordReset, ResetRequest, ResetToken, WaitingReset, WaitingResetList

WAITING_MAX = 100

router = APIRouter(tags=["accounts"], route_class=AuthenticatedRoute)
_open = APIRouter(tags=["users"], route_class=StrictRoute)

_log = structlog.get_logger(__name__)


@_open.post(
    "/v1/password-resets",
    status_code=204,
    response_class=Response,
    responses=problems(400, 413, 422, 429, 503),
    openapi_extra=takes({"email": "ada@example.com"}),
)
async def ask_for_a_reset(request: Request, body: ResetRequest) -> None:
    """Ask for another password, because it is forgotten. Anyone may; the answer is the same whether there is such an
    account or not. An admin sees it and hands a token over.
    """
    services = services_of(request)
    await services.throttle.admit_reset(client_address(request))
    await services.password_resets.request(body.email)


@_open.post(
    "/v1/password-resets/redeem",
    status_code=204,
    response_class=Response,
    responses=problems(400, ProblemCode.INVALID_RESET_TOKEN, 413, 422, 429, 503, ProblemCode.OVERLOADED),
    openapi_extra=takes({"reset_token": samples.RESET_TOKEN, "new_password": "tea at half past four"}),
)
async def redeem_a_reset(request: Request, body: PasswordReset) -> None:
    """Another password, for the token that an admin has handed over. Ends every login of the account.

    The token is good once and for half an hour. A password that is refused does not use it up.
    """
    services = services_of(request)
    await services.throttle.admit_reset(client_address(request))
    token = read_token(Prefix.RESET_TOKEN, body.reset_token)
    email = None if token is None else await services.password_resets.email_of(token.subject, token.token_hash)
    if token is None or email is None:
        raise ProblemError(403, ProblemCode.INVALID_RESET_TOKEN)
    await require_good_password(services, "new_password", body.new_password, email)
    password_hash = await services.passwords.hash(body.new_password)
    user_id = await services.password_resets.redeem(token.subject, token.token_hash, password_hash)
    if user_id is None:  # another has used it meanwhile
        raise ProblemError(403, ProblemCode.INVALID_RESET_TOKEN)
    _log.info("account.password_reset", user_id=user_id)


@router.get(
    "/v1/password-resets",
    responses=answers(
        200, {"data": [{"user_id": samples.ADA, "email": "ada@example.com", "requested_at": samples.ASKED_AT}]}
    )
    | problems(401, 403, 503),
)
async def list_waiting_resets(request: Request) -> WaitingResetList:
    """Who has asked for another password and waits for a token (admins only): the 100 who have waited for longest."""
    rows = await services_of(request).password_resets.waiting(WAITING_MAX)
    return WaitingResetList(data=[WaitingReset.model_validate(row) for row in rows])


@router.post(
    "/v1/users/{user_id}/password-resets",
    status_code=201,
    responses=answers(201, {"reset_token": samples.RESET_TOKEN, "expires_at": "2030-01-31T12:30:00.000000Z"})
    | problems(401, 403, ProblemCode.USER_NOT_FOUND, ProblemCode.WRONG_ROLE, 422, 503),
)
async def make_reset_token(request: Request, response: Response, user_id: UUID) -> ResetToken:
    """A token for another password (admins only), in place of any that was made before. It is shown once.

    Make sure that it is the account's owner who gets it. 409 `wrong_role` for an account that is closed, or a producer.
    """
    response.headers["Cache-Control"] = "no-store"
    services, token = services_of(request), new_token(Prefix.RESET_TOKEN)
    expires_at = await services.password_resets.make_token(str(user_id), token.subject, token.token_hash)
    if expires_at is None:
        if await services.users.find(str(user_id)) is None:
            raise ProblemError(404, ProblemCode.USER_NOT_FOUND)
        raise ProblemError(409, ProblemCode.WRONG_ROLE)
    _log.info("account.reset_token_made", user_id=str(user_id), by=caller_of(request).user_id)
    return ResetToken(reset_token=token.text, expires_at=expires_at)


router.routes.extend(_open.routes)
