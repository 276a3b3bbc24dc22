"""Logging in."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import OAuth2PasswordRequestForm

from ingest_api.caller import TOKEN_PATH
from ingest_api.problem_responses import problems
from ingest_api.problems import ProblemError
from ingest_api.services import services_of
from schemas.codes import ProblemCode
from schemas.http import PASSWORD_CHARS_MAX, Token, normalise_email

router = APIRouter(tags=["auth"])

LoginForm = Annotated[OAuth2PasswordRequestForm, Depends()]


@router.post(TOKEN_PATH, responses=problems(400, 401, 413, 422, 503))
async def log_in(request: Request, response: Response, form: LoginForm) -> Token:
    """An access token for an e-mail (`username`) and password.

    An unknown e-mail, a wrong password and a disabled account have the same answer and take the same time.
    """
    services = services_of(request)
    email = _email_or_none(form.username)
    found = await services.users.find_login(email) if email else None
    is_verified = await services.passwords.verify(
        form.password[:PASSWORD_CHARS_MAX], found.password_hash if found else None
    )
    if found is None or not is_verified or found.status != "active" or len(form.password) > PASSWORD_CHARS_MAX:
        raise ProblemError(401, ProblemCode.INVALID_CREDENTIALS, headers={"WWW-Authenticate": "Bearer"})
    response.headers["Cache-Control"] = "no-store"
    return Token(access_token=services.tokens.issue(found.user_id, found.role), expires_in=services.tokens.ttl_s)


def _email_or_none(text: str) -> str | None:
    try:
        return normalise_email(text)
    except ValueError:
        return None
