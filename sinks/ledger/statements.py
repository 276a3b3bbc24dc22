"""The ledger's SQL, one statement a file."""

from functools import partial

from sinks.postgres.statements import read_statement

_read = partial(read_statement, __file__)

LOCK_WALLETS = _read("lock_wallets")
READ_WALLETS = _read("read_wallets")
MAKE_HOLD_WALLETS = _read("make_hold_wallets")
PARENTS = _read("parents")
SPENDING = _read("spending")
MOVE_ON = _read("move_on")
STORED_TRANSFERS = _read("stored_transfers")
START_PROGRESS = _read("start_progress")
READ_PROGRESS = _read("read_progress")
ALL_PROGRESS = _read("all_progress")
RECOVERY_LOCK = _read("recovery_lock")
HAS_ROWS = _read("has_rows")
