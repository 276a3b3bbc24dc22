"""The doctor's SQL, one statement a file. None of it writes."""

from functools import partial

from sinks.postgres.statements import read_statement

_read = partial(read_statement, __file__)

SERVER = _read("server")
SCHEMA = _read("schema")
MISSING_RIGHTS = _read("missing_rights")
APPEND_ONLY = _read("append_only")
ADMINS = _read("admins")
PROGRESS = _read("progress")
WORKERS = _read("workers")
