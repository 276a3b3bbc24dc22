"""Sessions: an account's logins."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.problem_responses import problems
from ingest_api.problems import ProblemError
from ingest_api.services import services_of
from schemas.access import Right
from schemas.codes import ProblemCode

router = APIRouter(tags=["users"], route_class=AuthenticatedRoute)


@router.delete(
    "/v1/users/{user_id}/sessions",
    status_code=204,
    response_class=Response,
    responses=problems(401, ProblemCode.USER_NOT_FOUND, 422, 503),
)
async def end_sessions(request: Request, user_id: UUID) -> None:
    """Log the caller's account out everywhere (an admin: anyone's). Access tokens end within seconds."""
    caller = caller_of(request)
    is_allowed = caller.may(Right.ADMINISTER) or caller.user_id == str(user_id)
    if not is_allowed or not await services_of(request).users.end_sessions(str(user_id)):
        raise ProblemError(404, ProblemCode.USER_NOT_FOUND)
