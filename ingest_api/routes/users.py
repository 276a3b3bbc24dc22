"""Accounts."""

from fastapi import APIRouter, Request

from ingest_api.problem_responses import problems
from ingest_api.problems import ProblemError
from ingest_api.services import services_of
from ingest_api.strict_route import StrictRoute
from schemas.codes import ProblemCode
from schemas.http import NewUser, User

router = APIRouter(tags=["users"], route_class=StrictRoute)


@router.post("/v1/users", status_code=201, responses=problems(400, 409, 413, 422, 503))
async def register(request: Request, body: NewUser) -> User:
    """Open an account. Anyone may."""
    services = services_of(request)
    created = await services.users.create(body.email, await services.passwords.hash(body.password))
    if created is None:
        raise ProblemError(409, ProblemCode.EMAIL_TAKEN)
    return User.model_validate(created)
