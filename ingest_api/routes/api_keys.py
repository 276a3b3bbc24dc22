"""API keys of producers, made and revoked by admins."""

from uuid import UUID

import structlog
from fastapi import APIRouter, Request, Response

from ingest_api.caller import AuthenticatedRoute, caller_of
from ingest_api.examples import answers, takes
from ingest_api.opaque_tokens import Prefix, new_token
from ingest_api.problem_responses import problems
from ingest_api.problems import ProblemError
from ingest_api.services import Services, services_of
from schemas import samples
from schemas.codes import ProblemCode
from schemas.http_accounts import ApiKey, ApiKeyList, NewApiKey, NewlyMadeApiKey
from sinks.directory.users import UserRow

router = APIRouter(tags=["accounts"], route_class=AuthenticatedRoute)

_KEY = {
    "key_id": "0190f5a4-3333-7000-8000-000000000003",
    "user_id": samples.ADA,
    "name": "shop, payments",
    "scopes": ["transfers:read", "transfers:write"],
    "created_at": samples.ASKED_AT,
    "expires_at": None,
    "last_used_at": None,
    "revoked_at": None,
}

_log = structlog.get_logger(__name__)


@router.post(
    "/v1/users/{user_id}/api-keys",
    status_code=201,
    responses=answers(201, {**_KEY, "key": samples.API_KEY})
    | problems(
        *(400, 401, 403, ProblemCode.USER_NOT_FOUND, ProblemCode.WRONG_ROLE, ProblemCode.TOO_MANY_KEYS, 413, 422, 503)
    ),
    openapi_extra=takes({"name": "shop, payments", "scopes": ["transfers:write", "transfers:read"]}),
)
async def make_api_key(request: Request, response: Response, user_id: UUID, body: NewApiKey) -> NewlyMadeApiKey:
    """A key for a producer (admins only). It is shown in this answer and never again; only its hash is kept.

    To exchange a key, make another, let the program use it, and revoke the first when its `last_used_at` stands still.
    409 `wrong_role` for an account that is no active producer, 409 `too_many_keys` beyond 20 good ones.
    """
    response.headers["Cache-Control"] = "no-store"
    services, caller, token = services_of(request), caller_of(request), new_token(Prefix.API_KEY)
    owner = await _owner(services, str(user_id))
    made = await services.api_keys.create(
        key_id=token.subject,
        user_id=owner.user_id,
        name=body.name,
        scopes=sorted(set(body.scopes)),
        secret_hash=token.token_hash,
        days=body.expires_in_days,
    )
    if made is None:
        is_producer = owner.role == "producer" and owner.status == "active"
        raise ProblemError(409, ProblemCode.TOO_MANY_KEYS if is_producer else ProblemCode.WRONG_ROLE)
    _log.info("api_key.made", key_id=made.key_id, user_id=made.user_id, scopes=made.scopes, by=caller.user_id)
    return NewlyMadeApiKey(**ApiKey.model_validate(made).model_dump(), key=token.text)


@router.get(
    "/v1/users/{user_id}/api-keys",
    responses=answers(200, {"data": [_KEY]}) | problems(401, 403, ProblemCode.USER_NOT_FOUND, 422, 503),
)
async def list_api_keys(request: Request, user_id: UUID) -> ApiKeyList:
    """The keys of an account (admins only), without their secrets; of those that are over, the newest 20."""
    services = services_of(request)
    await _owner(services, str(user_id))
    return ApiKeyList(data=[ApiKey.model_validate(row) for row in await services.api_keys.of_user(str(user_id))])


@router.delete(
    "/v1/users/{user_id}/api-keys/{key_id}",
    status_code=204,
    response_class=Response,
    responses=problems(401, 403, ProblemCode.KEY_NOT_FOUND, 422, 503),
)
async def revoke_api_key(request: Request, user_id: UUID, key_id: UUID) -> None:
    """End a key for good (admins only). Within seconds no API process takes it any more."""
    if not await services_of(request).api_keys.revoke(str(user_id), str(key_id)):
        raise ProblemError(404, ProblemCode.KEY_NOT_FOUND)
    _log.info("api_key.revoked", key_id=str(key_id), user_id=str(user_id), by=caller_of(request).user_id)


async def _owner(services: Services, user_id: str) -> UserRow:
    found = await services.users.find(user_id)
    if found is None:
        raise ProblemError(404, ProblemCode.USER_NOT_FOUND)
    return found
