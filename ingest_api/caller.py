"""Who sends a request, and whether they may: checked before anything else of the request is read."""

from collections.abc import Callable, Coroutine
from typing import Any, get_args

from starlette.requests import Request
from starlette.responses import Response

from ingest_api.in_progress import IN_PROGRESS_KEY, InProgress
from ingest_api.problems import forbidden, unauthenticated
from ingest_api.route_rights import right_of_route
from ingest_api.services import services_of
from ingest_api.strict_route import StrictRoute
from ingest_api.tokens import Caller, TokenError
from schemas.access import Right, Scope

TOKEN_PATH = "/v1/auth/token"  # noqa: S105 (a path)
SCHEME_NAME = "PasswordBearer"
KEY_SCHEME_NAME = "ApiKeyBearer"
SECURITY_SCHEMES = {
    SCHEME_NAME: {
        "type": "oauth2",
        "flows": {"password": {"scopes": {}, "tokenUrl": TOKEN_PATH, "refreshUrl": TOKEN_PATH}},
    },
    KEY_SCHEME_NAME: {"type": "http", "scheme": "bearer", "description": "The API key of a producer."},
}

_CALLER_KEY = "hfts.caller"
_SCOPES = frozenset(get_args(Scope))


class AuthenticatedRoute(StrictRoute):
    """A route for those who have logged in, or show an API key, and have the right that its table gives it.

    In place of a FastAPI dependency, which costs several times as much.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self.right = self.right_of(options.get("methods") or ["GET"], path)
        schemes: list[dict[str, list[str]]] = [{SCHEME_NAME: []}]
        if self.right in _SCOPES or self.right == Right.ACCOUNT_READ:
            schemes.append({KEY_SCHEME_NAME: []})
        extra = options.pop("openapi_extra", None) or {}
        super().__init__(path, endpoint, openapi_extra={"security": schemes, **extra}, **options)

    def right_of(self, methods: list[str], path: str) -> Right:
        """What this route asks for."""
        return right_of_route(methods, path)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The strict handler, behind the checks of the caller. Raises ProblemError (401, 403, 429)."""
        handle = super().get_route_handler()

        async def handle_authenticated(request: Request) -> Response:
            caller = request.scope[_CALLER_KEY] = await _authenticate(request)
            rate_limit = services_of(request).rate_limit
            if rate_limit is not None:
                rate_limit.admit(request.scope, caller.user_id)
            require(caller, self.right)
            in_progress: InProgress = request.scope[IN_PROGRESS_KEY]
            in_progress.enter_caller(caller.user_id)
            try:
                return await handle(request)
            finally:
                in_progress.leave_caller(caller.user_id)

        return handle_authenticated


class OpsRoute(AuthenticatedRoute):
    """A route for those who operate the pipeline, wherever it stands."""

    def right_of(self, methods: list[str], path: str) -> Right:
        """The same for all."""
        del methods, path
        return Right.OPERATE


async def _authenticate(request: Request) -> Caller:
    """Who sends this request. Raises ProblemError (401)."""
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise unauthenticated()
    try:
        return await services_of(request).access.check(credential.strip())
    except TokenError as error:
        raise unauthenticated(str(error)) from None


def require(caller: Caller, right: Right) -> None:
    """Return if the caller has this right. Raises ProblemError (403), which says what is missing."""
    if caller.may(right):
        return
    holder = "API key lacks the scope" if caller.role == "producer" else f"role {caller.role} lacks the right"
    # RFC 6750 section 3.1
    challenge = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{right}"'} if right in _SCOPES else {}
    raise forbidden(f"The {holder} {right}.", challenge)


def caller_of(request: Request) -> Caller:
    """Who sends this request to an AuthenticatedRoute."""
    caller: Caller = request.scope[_CALLER_KEY]
    return caller
