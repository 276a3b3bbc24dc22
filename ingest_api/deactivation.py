"""Closing an account to everybody."""

import structlog

from ingest_api.problems import ProblemError
from ingest_api.services import Services
from ingest_api.tokens import Caller
from schemas.codes import ProblemCode
from sinks.directory.users import UserRow

_log = structlog.get_logger(__name__)


async def deactivate(services: Services, user_id: str, *, by: Caller) -> UserRow:
    """The account, which nobody can use any more, with its sessions over and its keys revoked. May be repeated.

    Raises ProblemError (404, 409) for no such account and for the last active admin.
    """
    changed = await services.users.deactivate(user_id)
    if changed is not None:
        _log.info("account.deactivated", user_id=user_id, by=by.user_id)
        return changed
    found = await services.users.find(user_id)
    if found is None:
        raise ProblemError(404, ProblemCode.USER_NOT_FOUND)
    if found.status == "active":
        raise ProblemError(409, ProblemCode.LAST_ADMIN)
    return found
