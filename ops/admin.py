"""Accounts with more rights than those who register have."""

import asyncio

from email_validator import EmailNotValidError, validate_email

from ops.errors import CommandError
from schemas.access import PersonalRole
from schemas.settings import Settings
from sinks.password_rules import refusal
from sinks.passwords import hash_password, verify_password
from sinks.postgres.pool import connect


async def ensure_admin(settings: Settings, email: str, password: str, role: PersonalRole = "admin") -> bool:
    """Make this account an active one of this role with this password, whether it exists or not.

    False if it was one already. Raises CommandError for an e-mail address or password that will not do.
    """
    try:
        address = validate_email(email, check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise CommandError(f"ADMIN_EMAIL is not an e-mail address: {error}") from None
    reason = refusal(password, (address,))
    if reason is not None:
        raise CommandError(f"ADMIN_PASSWORD {reason}")
    connection = await connect(settings)
    try:
        found = await connection.fetchrow(
            "select password_hash from users where lower(email) = $1 and role = $2 and status = 'active'", address, role
        )
        if found is not None:
            unchanged = await asyncio.to_thread(verify_password, password, found["password_hash"])
            if unchanged:
                return False
        await connection.execute(
            """
            insert into users (email, password_hash, role) values ($1, $2, $3)
            on conflict (lower(email)) do update
            set password_hash = excluded.password_hash, role = excluded.role, status = 'active', updated_at = now(),
                session_epoch = users.session_epoch + 1 -- ends every login of the account
            """,
            address,
            await asyncio.to_thread(hash_password, password),
            role,
        )
    finally:
        await connection.close()
    return True
