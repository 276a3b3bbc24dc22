"""The directory's SQL, one statement a file."""

from functools import partial

from sinks.postgres.statements import read_statement

_read = partial(read_statement, __file__)

CREATE_USER = _read("create_user")
FIND_USER = _read("find_user")
FIND_LOGIN = _read("find_login")
CREATE_WALLET = _read("create_wallet")
FIND_WALLET = _read("find_wallet")
LIST_WALLETS = _read("list_wallets")
WALLET_OWNER = _read("wallet_owner")
WORLD_WALLET = _read("world_wallet")
PAGE_OF_ENTRIES = _read("page_of_entries")
FIND_TRANSFER = _read("find_transfer")
