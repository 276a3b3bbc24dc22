"""The directory's SQL, one statement a file."""

from collections.abc import Mapping
from functools import partial

from sinks.postgres.statements import read_statement

_read = partial(read_statement, __file__)
_PARTS = {name: _read(f"parts/{name}").strip() for name in ("columns", "owners", "filters")}
_OLDER, _NEWER = {"onwards": "<=", "order": "desc"}, {"onwards": ">=", "order": "asc"}


def _read_list(name: str, onwards: Mapping[str, str] = _OLDER) -> str:
    """A statement that lists transfers: what all of these have in common is written down once."""
    return _read(name).format(**_PARTS, **onwards)


CREATE_USER = _read("create_user")
FIND_USER = _read("find_user")
CREATE_SERVICE_ACCOUNT = _read("create_service_account")
LIST_USERS = _read("list_users")
DEACTIVATE_USER = _read("deactivate_user")
REACTIVATE_USER = _read("reactivate_user")
CHANGE_ROLE = _read("change_role")
FIND_LOGIN = _read("find_login")
FIND_LOGIN_BY_ID = _read("find_login_by_id")
UPGRADE_HASH = _read("upgrade_hash")
CHANGE_PASSWORD = _read("change_password")
END_SESSIONS = _read("end_sessions")
OPEN_SESSION = _read("open_session")
RENEW_SESSION = _read("renew_session")
REVOKE_SESSION = _read("revoke_session")
LOCK_USER = _read("lock_user")
CREATE_API_KEY = _read("create_api_key")
LIST_API_KEYS = _read("list_api_keys")
FIND_API_KEY = _read("find_api_key")
TOUCH_API_KEY = _read("touch_api_key")
REVOKE_API_KEY = _read("revoke_api_key")
SURRENDER_API_KEY = _read("surrender_api_key")
RECENT_REVOCATIONS = _read("recent_revocations")
REQUEST_RESET = _read("request_reset")
WAITING_RESETS = _read("waiting_resets")
MAKE_RESET_TOKEN = _read("make_reset_token")
FIND_RESET = _read("find_reset")
REDEEM_RESET = _read("redeem_reset")
TAKE_ATTEMPT = _read("take_attempt")
IS_MARKED = _read("is_marked")
FORGIVE_ATTEMPTS = _read("forgive_attempts")
CREATE_WALLET = _read("create_wallet")
FIND_WALLET = _read("find_wallet")
LIST_WALLETS = _read("list_wallets")
SET_WALLET_STATUS = _read("set_wallet_status")
WALLET_OWNER = _read("wallet_owner")
WALLET_OWNERS = _read("wallet_owners")
WORLD_WALLET = _read("world_wallet")
PAGE_OF_ENTRIES = _read("page_of_entries")
FIND_TRANSFER = _read("find_transfer")
FIND_STORED = _read("find_stored")
BALANCES = _read("balances")
SET_LIMITS = _read("set_limits")
FIND_DRAWABLE = _read("find_drawable")
LIST_DRAWS = _read("list_draws")
LIST_HOLDS = _read("list_holds")
FIND_BY_REFERENCE = _read("find_by_reference")
BEGIN_EXPIRY_ROUND = _read("begin_expiry_round")
DUE_HOLDS = _read("due_holds")
SETTLE_EXPIRY = _read("settle_expiry")
FIND_PROGRESS = _read("find_progress")
VERSION_AT = _read("version_at")
LEGS = _read_list("legs")
OLDER_FAILED = _read_list("failed")
NEWER_FAILED = _read_list("failed", _NEWER)
OLDER_TRANSFERS = _read_list("all_transfers")
NEWER_TRANSFERS = _read_list("all_transfers", _NEWER)
BY_REFERENCE = _read_list("by_reference")
BY_METADATA = _read_list("by_metadata")
