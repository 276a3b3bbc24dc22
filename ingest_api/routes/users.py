"""Accounts."""

from fastapi import APIRouter, Request

from ingest_api.client_address import client_address
from ingest_api.examples import answers, takes
from ingest_api.logins import require_good_password
from ingest_api.problem_responses import problems
from ingest_api.problems import ProblemError
from ingest_api.services import services_of
from ingest_api.strict_route import StrictRoute
from schemas.accounts import NewUser, User
from schemas.codes import ProblemCode
from schemas.samples import ACCOUNT

router = APIRouter(tags=["users"], route_class=StrictRoute)


@router.post(
    "/v1/users",
    status_code=201,
    responses=answers(201, ACCOUNT)
    | problems(400, ProblemCode.EMAIL_TAKEN, 413, 422, 429, 503, ProblemCode.OVERLOADED),
    openapi_extra=takes({"email": ACCOUNT["email"], "password": "rain on a tin roof"}),
)
async def register(request: Request, body: NewUser) -> User:
    """Open an account. Anyone may.

    The password needs 15 characters of any kind, and must not be one that is easy to guess: `errors` says why.
    """
    services = services_of(request)
    await services.throttle.admit_registration(client_address(request))
    await require_good_password(services, "password", body.password, body.email)
    created = await services.users.create(body.email, await services.passwords.hash(body.password))
    if created is None:
        raise ProblemError(409, ProblemCode.EMAIL_TAKEN)
    return User.model_validate(created)
