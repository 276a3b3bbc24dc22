"""The SQL of recovering, one statement a file."""

from functools import partial

from sinks.postgres.statements import read_statement

_read = partial(read_statement, __file__)

COUNT_UNTOLD = _read("count_untold")
UNTOLD = _read("untold")
BEGIN = _read("begin")
FINISH = _read("finish")
LAST_ROW = _read("last_row")
KNOWN_IDS = _read("known_ids")
REDELIVER = _read("redeliver")
LOST_LETTERS = _read("lost_letters")
FORGET_LETTERS = _read("forget_letters")
