"""The caller's own account."""

from fastapi import APIRouter, Request

from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.problem_responses import problems
from ingest_api.problems import unauthenticated
from ingest_api.services import services_of
from schemas.http import User

router = APIRouter(tags=["users"], route_class=AuthenticatedRoute)


@router.get("/v1/me", responses=problems(401, 503))
async def read_me(request: Request) -> User:
    """The caller's account."""
    found = await services_of(request).users.find(caller_of(request).user_id)
    if found is None or found.status != "active":
        raise unauthenticated("The account is no longer active.")
    return User.model_validate(found)
