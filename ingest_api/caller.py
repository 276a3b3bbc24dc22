"""Who sends a request: the bearer token, as a dependency of routes."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.openapi.models import OAuth2 as OAuth2Model
from fastapi.openapi.models import OAuthFlowPassword, OAuthFlows
from fastapi.security.base import SecurityBase

from ingest_api.problems import forbidden, unauthenticated
from ingest_api.services import services_of
from ingest_api.tokens import Caller, TokenError

TOKEN_PATH = "/v1/auth/token"  # noqa: S105 (a path)


class BearerToken(SecurityBase):
    """Checks ``Authorization: Bearer …``; one dependency, where FastAPI's own leaves the checking to a second."""

    def __init__(self) -> None:
        self.model = OAuth2Model(flows=OAuthFlows(password=OAuthFlowPassword(tokenUrl=TOKEN_PATH)))
        self.scheme_name = "PasswordBearer"

    async def __call__(self, request: Request) -> Caller:
        """The caller. Raises ProblemError (401)."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise unauthenticated()
        try:
            return services_of(request).tokens.check(token.strip())
        except TokenError:
            raise unauthenticated("The access token is not valid, or has expired. Get a new one.") from None


AnyCaller = Annotated[Caller, Depends(BearerToken())]


async def require_admin(caller: AnyCaller) -> Caller:
    """The caller, who is an admin. Raises ProblemError (403)."""
    if not caller.is_admin:
        raise forbidden("Only an admin may do that.")
    return caller


Admin = Annotated[Caller, Depends(require_admin)]
