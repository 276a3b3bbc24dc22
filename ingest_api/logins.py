"""Logging in, renewing a login, and changing the password."""

from dataclasses import dataclass

import structlog

from ingest_api.opaque_tokens import OpaqueToken, Prefix, new_token, read_token
from ingest_api.problems import ProblemError, invalid_request
from ingest_api.services import Services
from ingest_api.tokens import Caller, TokenError
from schemas.accounts import PasswordChange, Token
from schemas.codes import ProblemCode
from schemas.http import normalise_email
from sinks.directory.users import LoginRow

ACCOUNT_CHARS_MAX = 320
"""Of what is given as an e-mail, for counting: longer than any that is one."""


_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody shows to log in, and the address they come from."""

    username: str
    password: str
    address: str


async def log_in(services: Services, attempt: Attempt) -> Token:
    """A new session. Raises ProblemError (401, 429, 503).

    An unknown e-mail, a wrong password and a disabled account take the same steps, so the answer and its time tell
    nothing.
    """
    email = _email_or_none(attempt.username)
    account = email or attempt.username[:ACCOUNT_CHARS_MAX]
    await services.throttle.admit_login(account, attempt.address)
    found = await services.users.find_login(email) if email else None
    is_verified = await services.passwords.verify(attempt.password, found.password_hash if found else None)
    if found is None or not is_verified or found.status != "active":
        raise _refused()
    await services.throttle.forgive_login(account, attempt.address)
    await _upgrade_hash(services, found, attempt.password)
    token = new_token(Prefix.REFRESH_TOKEN)
    is_open = await services.sessions.open(
        token.subject, found.user_id, found.session_epoch, token.token_hash, services.refresh_token_ttl_s
    )
    if not is_open:  # disabled, or under another password, since it was looked up
        raise _refused()
    return _pair(services, found.user_id, found.role, found.access_epoch, token)


async def renew(services: Services, text: str) -> Token:
    """The next pair of tokens for a refresh token, with the account's role of now. Raises ProblemError (401, 503)."""
    shown = read_token(Prefix.REFRESH_TOKEN, text)
    if shown is not None:
        token = new_token(Prefix.REFRESH_TOKEN, shown.subject)
        renewed = await services.sessions.renew(shown.subject, shown.token_hash, token.token_hash)
        if renewed is not None:
            return _pair(services, renewed.user_id, renewed.role, renewed.access_epoch, token)
    raise ProblemError(401, ProblemCode.INVALID_REFRESH_TOKEN, headers={"WWW-Authenticate": "Bearer"})


async def log_out(services: Services, text: str) -> None:
    """End what a token belongs to: the session of a refresh token, also of a used one, or of an access token, or an
    API key. Any other text changes nothing (RFC 7009 section 2.2)."""
    if (refresh_token := read_token(Prefix.REFRESH_TOKEN, text)) is not None:
        await services.sessions.revoke(refresh_token.subject)
    elif (key := read_token(Prefix.API_KEY, text)) is not None:
        user_id = await services.api_keys.surrender(key.subject, key.token_hash)
        if user_id is not None:
            _log.info("api_key.surrendered", key_id=key.subject, user_id=user_id)
    elif (session_id := _session_of(services, text)) is not None:
        await services.sessions.revoke(session_id)


async def require_good_password(services: Services, field: str, password: str, email: str) -> None:
    """Return if the password will do for this account. Raises ProblemError (422 with the reason, 503)."""
    reason = await services.passwords.refusal(password, email)
    if reason is not None:
        raise invalid_request((field, reason))


async def change_password(services: Services, caller: Caller, change: PasswordChange, address: str) -> bool:
    """Another password, which ends every session of the account. False if there is no such active account.

    Guessing the old one counts like a login. Raises ProblemError (403, 422, 429, 503).
    """
    found = await confirm_password(services, caller, change.current_password, address)
    if found is None:
        return False
    email, login = found
    await require_good_password(services, "new_password", change.new_password, email)
    new_hash = await services.passwords.hash(change.new_password)
    return await services.users.change_password(login.user_id, login.password_hash, new_hash)


async def confirm_password(
    services: Services, caller: Caller, password: str, address: str
) -> tuple[str, LoginRow] | None:
    """The caller's e-mail and login once the password has proved right; None if there is no such active account.

    Guessing counts like a login. Raises ProblemError (403, 429, 503).
    """
    found = await services.users.email_and_login(caller.user_id)
    if found is None or found[1].status != "active":
        return None
    email, login = found
    await services.throttle.admit_login(email, address)
    if not await services.passwords.verify(password, login.password_hash):
        raise ProblemError(403, ProblemCode.INVALID_CREDENTIALS, "The current password is another.")
    await services.throttle.forgive_login(email, address)
    return found


async def _upgrade_hash(services: Services, found: LoginRow, password: str) -> None:
    new_hash = await services.passwords.upgraded(password, found.password_hash)
    if new_hash is not None:
        await services.users.upgrade_hash(found.user_id, found.password_hash, new_hash)


def _pair(services: Services, user_id: str, role: str, epoch: int, token: OpaqueToken) -> Token:
    access_token = services.tokens.issue(user_id, role, session_id=token.subject, epoch=epoch)
    return Token(access_token=access_token, expires_in=services.tokens.ttl_s, refresh_token=token.text)


def _session_of(services: Services, text: str) -> str | None:
    try:
        return services.tokens.check(text).login_id or None
    except TokenError:
        return None


def _refused() -> ProblemError:
    return ProblemError(401, ProblemCode.INVALID_CREDENTIALS, headers={"WWW-Authenticate": "Bearer"})


def _email_or_none(text: str) -> str | None:
    try:
        return normalise_email(text)
    except ValueError:
        return None
