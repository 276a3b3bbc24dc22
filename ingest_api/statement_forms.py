"""A statement as JSON and as CSV, piece by piece. Pure."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import orjson
from pydantic import TypeAdapter

from schemas.http import Entry
from schemas.transfers import format_time

_ENTRIES = TypeAdapter(list[Entry])
_COLUMNS = (
    "kind",
    "version",
    "completed_at",
    "transfer_id",
    "counterparty_wallet_id",
    "amount",
    "balance",
    "currency",
    "reference",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Frame:
    """What a statement says beside its entries; balances are decimal text."""

    wallet_id: str
    currency: str
    start: datetime | None
    end: datetime
    opening_balance: str
    opening_version: int
    closing_version: int


class Form(Protocol):
    """A way to write a statement down: a head, entries in order, and what closes it."""

    media_type: str

    def head(self, frame: Frame) -> bytes:
        """What comes first."""
        ...

    def entries(self, entries: Sequence[Entry]) -> bytes:
        """Some more entries."""
        ...

    def tail(self, frame: Frame, closing_balance: str) -> bytes:
        """What comes last."""
        ...


class JsonForm:
    """One JSON object."""

    media_type = "application/json"

    def __init__(self) -> None:
        self._is_first = True

    def head(self, frame: Frame) -> bytes:  # noqa: D102 (as above)
        said = {
            "wallet_id": frame.wallet_id,
            "currency": frame.currency,
            "from": None if frame.start is None else format_time(frame.start),
            "to": format_time(frame.end),
            "opening": {"balance": frame.opening_balance, "version": frame.opening_version},
        }
        return orjson.dumps(said)[:-1] + b',"entries":['

    def entries(self, entries: Sequence[Entry]) -> bytes:  # noqa: D102 (as above)
        before = b"" if self._is_first else b","
        self._is_first = False
        return before + _ENTRIES.dump_json(list(entries))[1:-1]

    def tail(self, frame: Frame, closing_balance: str) -> bytes:  # noqa: D102 (as above)
        closing = {"balance": closing_balance, "version": frame.closing_version}
        return b'],"closing":' + orjson.dumps(closing) + b"}"


class CsvForm:
    """Lines of RFC 4180 with a header: first one of the kind ``opening``, one for each entry, and one ``closing``.

    Without the last line it is not whole. What a spreadsheet would take for a formula gets an apostrophe before it, for
    a reference is somebody else's text.
    """

    media_type = "text/csv; charset=utf-8"

    def head(self, frame: Frame) -> bytes:  # noqa: D102 (as above)
        begun = "" if frame.start is None else format_time(frame.start)
        return _lines(
            [
                _COLUMNS,
                ("opening", frame.opening_version, begun, "", "", "", frame.opening_balance, frame.currency, ""),
            ]
        )

    def entries(self, entries: Sequence[Entry]) -> bytes:  # noqa: D102 (as above)
        return _lines(
            [
                (
                    "entry",
                    entry.version,
                    format_time(entry.completed_at),
                    entry.transfer_id,
                    entry.counterparty_wallet_id,
                    entry.amount,
                    entry.balance,
                    entry.currency,
                    _plain(entry.reference or ""),
                )
                for entry in entries
            ]
        )

    def tail(self, frame: Frame, closing_balance: str) -> bytes:  # noqa: D102 (as above)
        ended = format_time(frame.end)
        return _lines([("closing", frame.closing_version, ended, "", "", "", closing_balance, frame.currency, "")])


def _plain(text: str) -> str:
    return "'" + text if text.startswith(_FORMULA) else text


def _lines(rows: Sequence[Sequence[object]]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()
