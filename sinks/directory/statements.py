"""The directory's SQL, one statement a file."""

from functools import partial

from sinks.postgres.statements import read_statement

_read = partial(read_statement, __file__)

CREATE_USER = _read("create_user")
FIND_USER = _read("find_user")
FIND_LOGIN = _read("find_login")
FIND_LOGIN_BY_ID = _read("find_login_by_id")
UPGRADE_HASH = _read("upgrade_hash")
CHANGE_PASSWORD = _read("change_password")
END_SESSIONS = _read("end_sessions")
OPEN_SESSION = _read("open_session")
RENEW_SESSION = _read("renew_session")
REVOKE_SESSION = _read("revoke_session")
TAKE_ATTEMPT = _read("take_attempt")
IS_MARKED = _read("is_marked")
FORGIVE_ATTEMPTS = _read("forgive_attempts")
CREATE_WALLET = _read("create_wallet")
FIND_WALLET = _read("find_wallet")
LIST_WALLETS = _read("list_wallets")
WALLET_OWNER = _read("wallet_owner")
WALLET_OWNERS = _read("wallet_owners")
WORLD_WALLET = _read("world_wallet")
PAGE_OF_ENTRIES = _read("page_of_entries")
FIND_TRANSFER = _read("find_transfer")
