"""The dead letters' SQL, one statement a file."""

from functools import partial

from sinks.postgres.statements import read_statement

_read = partial(read_statement, __file__)

ACTIONS_BETWEEN = _read("actions_between")
TRY_LOCK = _read("try_lock")
LOCK_HOLDER = _read("lock_holder")
INTEND_REPLAY = _read("intend_replay")
FINISH_REPLAY = _read("finish_replay")
LEFT_BEHIND = _read("left_behind")
FORGET_ATTEMPT = _read("forget_attempt")
DISCARD = _read("discard")
UNDO_DISCARD = _read("undo_discard")
