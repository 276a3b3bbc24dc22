"""Logging in, staying logged in, and logging out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.exceptions import RequestValidationError

from ingest_api import logins
from ingest_api.caller import TOKEN_PATH
from ingest_api.client_address import client_address
from ingest_api.examples import answers, takes
from ingest_api.problem_responses import problems
from ingest_api.services import services_of
from schemas.accounts import RevocationForm, Token, TokenForm
from schemas.codes import ProblemCode
from schemas.samples import ACCOUNT

router = APIRouter(tags=["auth"])

FORM = "application/x-www-form-urlencoded"

_TOKENS = {
    "access_token": "eyJhbGciOiJIUzI1NiIsImtpZCI6IjNmMmEiLCJ0eXAiOiJhdCtqd3QifQ.e30.made-up",
    "token_type": "bearer",
    "expires_in": 900,
    "refresh_token": "hfts_rt_made-up",
}


@router.post(
    TOKEN_PATH,
    responses=answers(200, _TOKENS)
    | problems(
        *(400, ProblemCode.INVALID_CREDENTIALS, ProblemCode.INVALID_REFRESH_TOKEN),
        *(413, 422, 429, 503, ProblemCode.OVERLOADED),
    ),
    openapi_extra=takes({"username": ACCOUNT["email"], "password": "rain on a tin roof"}, media_type=FORM),
)
async def log_in(request: Request, response: Response, form: Annotated[TokenForm, Form()]) -> Token:
    """Tokens for an e-mail (`username`) and password, or for a refresh token (`grant_type=refresh_token`).

    A refresh token is good once. Showing one again ends the login with every token that came of it, for somebody else
    may have used it. An unknown e-mail, a wrong password and a disabled account have the same answer.
    """
    response.headers["Cache-Control"] = "no-store"
    missing = form.missing_fields()
    if missing:
        raise RequestValidationError([{"loc": ("body", name), "msg": "Field required"} for name in missing])
    services = services_of(request)
    if form.grant_type == "refresh_token":
        return await logins.renew(services, form.refresh_token or "")
    attempt = logins.Attempt(form.username or "", form.password or "", client_address(request))
    return await logins.log_in(services, attempt)


@router.post(
    "/v1/auth/revoke",
    response_class=Response,
    responses=problems(400, 413, 422, 503),
    openapi_extra=takes({"token": _TOKENS["refresh_token"]}, media_type=FORM),
)
async def log_out(request: Request, form: Annotated[RevocationForm, Form()]) -> None:
    """End what a token belongs to (RFC 7009): the login of a refresh or an access token, or an API key for good.

    200 also for a token that is none, or no longer one. Access tokens of the login end within seconds.
    """
    await logins.log_out(services_of(request), form.token)
