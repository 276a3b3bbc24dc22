"""Everybody's accounts, for admins: who there is, what they are, and whether they may be used."""

from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Query, Request

from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.deactivation import deactivate
from ingest_api.examples import answers, takes
from ingest_api.problem_responses import problems
from ingest_api.problems import ProblemError
from ingest_api.services import Services, services_of
from schemas.access import Role
from schemas.accounts import User
from schemas.codes import ProblemCode
from schemas.http import Email
from schemas.http_accounts import NewServiceAccount, RoleChange, UserPage
from schemas.samples import ACCOUNT
from sinks.directory.users import UserRow

router = APIRouter(tags=["accounts"], route_class=AuthenticatedRoute)

Limit = Annotated[int, Query(ge=1, le=100, description="Accounts on the page.")]
StartingAfter = Annotated[UUID | None, Query(description="The last `user_id` of the page before.")]
OfEmail = Annotated[Email | None, Query(description="Only the account of this address.")]
OfRole = Annotated[Role | None, Query(description="Only accounts with this role.")]

_REFUSALS = problems(401, 403, ProblemCode.USER_NOT_FOUND, 422, 503)

_log = structlog.get_logger(__name__)


@router.get("/v1/users", responses=answers(200, {"data": [ACCOUNT], "has_more": True}) | problems(401, 403, 422, 503))
async def list_users(
    request: Request,
    limit: Limit = 25,
    starting_after: StartingAfter = None,
    email: OfEmail = None,
    role: OfRole = None,
) -> UserPage:
    """A page of all accounts (admins only)."""
    after = None if starting_after is None else str(starting_after)
    rows = await services_of(request).users.page(after=after, email=email, role=role, count_max=limit + 1)
    return UserPage(data=[User.model_validate(row) for row in rows[:limit]], has_more=len(rows) > limit)


@router.get("/v1/users/{user_id}", responses=answers(200, ACCOUNT) | _REFUSALS)
async def read_user(request: Request, user_id: UUID) -> User:
    """An account (admins only)."""
    return User.model_validate(await _found(services_of(request), str(user_id)))


@router.put(
    "/v1/users/{user_id}/role",
    responses=answers(200, {**ACCOUNT, "role": "analyst"})
    | _REFUSALS
    | problems(400, ProblemCode.WRONG_ROLE, ProblemCode.LAST_ADMIN, 413),
    openapi_extra=takes({"role": "analyst"}),
)
async def change_role(request: Request, user_id: UUID, body: RoleChange) -> User:
    """Another role for a person's account (admins only). Tokens with the one before end within seconds; a login with
    them can be renewed, and goes on with the new role.

    409 `wrong_role` for a producer, which stays one; 409 `last_admin` where no other active admin would be left.
    """
    services, caller = services_of(request), caller_of(request)
    changed = await services.users.change_role(str(user_id), body.role)
    if changed is not None:
        _log.info("account.role_changed", user_id=str(user_id), role=body.role, by=caller.user_id)
        return User.model_validate(changed)
    found = await _found(services, str(user_id))
    if found.role == "producer":
        raise ProblemError(409, ProblemCode.WRONG_ROLE)
    if found.role != body.role:
        raise ProblemError(409, ProblemCode.LAST_ADMIN)
    return User.model_validate(found)


@router.post(
    "/v1/users/{user_id}/deactivate",
    responses=answers(200, {**ACCOUNT, "status": "disabled"}) | _REFUSALS | problems(ProblemCode.LAST_ADMIN),
)
async def deactivate_user(request: Request, user_id: UUID) -> User:
    """Close an account (admins only): its logins end within seconds, its API keys are revoked for good.

    Its wallets stay as they are. Transfers that were accepted before are decided as ever; freeze the wallets to stop
    those, too.
    """
    return User.model_validate(await deactivate(services_of(request), str(user_id), by=caller_of(request)))


@router.post("/v1/users/{user_id}/reactivate", responses=answers(200, ACCOUNT) | _REFUSALS)
async def reactivate_user(request: Request, user_id: UUID) -> User:
    """Let an account be used again (admins only), with the password it had. What was revoked stays so."""
    services, caller = services_of(request), caller_of(request)
    changed = await services.users.reactivate(str(user_id))
    if changed is None:
        return User.model_validate(await _found(services, str(user_id)))
    _log.info("account.reactivated", user_id=str(user_id), by=caller.user_id)
    return User.model_validate(changed)


@router.post(
    "/v1/service-accounts",
    status_code=201,
    responses=answers(201, {**ACCOUNT, "email": "shop@example.com", "role": "producer"})
    | problems(400, 401, 403, ProblemCode.EMAIL_TAKEN, 413, 422, 503),
    openapi_extra=takes({"email": "shop@example.com"}),
)
async def open_service_account(request: Request, body: NewServiceAccount) -> User:
    """An account for a program (admins only): a `producer`, which has no password and cannot log in.

    Make it an API key, and open wallets for it or give the key the scope `wallets:write`.
    """
    created = await services_of(request).users.create_service_account(body.email)
    if created is None:
        raise ProblemError(409, ProblemCode.EMAIL_TAKEN)
    _log.info("account.service_account_opened", user_id=created.user_id, by=caller_of(request).user_id)
    return User.model_validate(created)


async def _found(services: Services, user_id: str) -> UserRow:
    found = await services.users.find(user_id)
    if found is None:
        raise ProblemError(404, ProblemCode.USER_NOT_FOUND)
    return found
