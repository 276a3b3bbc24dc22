"""The ledger's SQL, one statement a file."""

from pathlib import Path

_FOLDER = Path(__file__).parent / "sql"


def _read(name: str) -> str:
    return (_FOLDER / f"{name}.sql").read_text()


LOCK_WALLETS = _read("lock_wallets")
WRITE_BATCHES = _read("write_batches")
STORED_TRANSFERS = _read("stored_transfers")
START_PROGRESS = _read("start_progress")
READ_PROGRESS = _read("read_progress")
