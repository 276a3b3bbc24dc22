"""The ledger's SQL, one statement a file."""

from functools import partial

from sinks.postgres.statements import read_statement

_read = partial(read_statement, __file__)

LOCK_WALLETS = _read("lock_wallets")
WRITE_BATCHES = _read("write_batches")
STORED_TRANSFERS = _read("stored_transfers")
START_PROGRESS = _read("start_progress")
READ_PROGRESS = _read("read_progress")
