"""Who sends a request: the bearer token, checked before anything else of the request is read."""

from collections.abc import Callable, Coroutine
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ingest_api.in_progress import IN_PROGRESS_KEY, InProgress
from ingest_api.problems import forbidden, unauthenticated
from ingest_api.services import services_of
from ingest_api.strict_route import StrictRoute
from ingest_api.tokens import Caller, TokenError

TOKEN_PATH = "/v1/auth/token"  # noqa: S105 (a path)
SCHEME_NAME = "PasswordBearer"
SECURITY_SCHEME = {
    "type": "oauth2",
    "flows": {"password": {"scopes": {}, "tokenUrl": TOKEN_PATH, "refreshUrl": TOKEN_PATH}},
}

_CALLER_KEY = "hfts.caller"


class AuthenticatedRoute(StrictRoute):
    """A route for those who have logged in. In place of a FastAPI dependency, which costs several times as much."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        extra = options.pop("openapi_extra", None) or {}
        super().__init__(path, endpoint, openapi_extra={"security": [{SCHEME_NAME: []}], **extra}, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The strict handler, behind the checks of the token and the caller's share. Raises ProblemError (401, 429)."""
        handle = super().get_route_handler()

        async def handle_authenticated(request: Request) -> Response:
            caller = request.scope[_CALLER_KEY] = self.authenticate(request)
            rate_limit = services_of(request).rate_limit
            if rate_limit is not None:
                rate_limit.admit(request.scope, caller.user_id)
            in_progress: InProgress = request.scope[IN_PROGRESS_KEY]
            in_progress.enter_caller(caller.user_id)
            try:
                return await handle(request)
            finally:
                in_progress.leave_caller(caller.user_id)

        return handle_authenticated

    def authenticate(self, request: Request) -> Caller:
        """Who sends this request. Raises ProblemError (401)."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise unauthenticated()
        try:
            return services_of(request).tokens.check(token.strip())
        except TokenError:
            raise unauthenticated("The access token is not valid, or has expired. Get a new one.") from None


class AdminRoute(AuthenticatedRoute):
    """A route for admins."""

    def authenticate(self, request: Request) -> Caller:
        """Who sends this request: an admin. Raises ProblemError (401, 403)."""
        caller = super().authenticate(request)
        if not caller.is_admin:
            raise forbidden("Only an admin may do that.")
        return caller


class OpsRoute(AuthenticatedRoute):
    """A route for those who operate the pipeline: accounts with the role ops, and admins."""

    def authenticate(self, request: Request) -> Caller:
        """Who sends this request: one who may operate. Raises ProblemError (401, 403)."""
        caller = super().authenticate(request)
        if not caller.may_operate:
            raise forbidden("Only an account with the role ops, or an admin, may do that.")
        return caller


def caller_of(request: Request) -> Caller:
    """Who sends this request to an AuthenticatedRoute."""
    caller: Caller = request.scope[_CALLER_KEY]
    return caller
