"""What clients say about the form and the time of what they read."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from ingest_api.negotiation import preferred
from ingest_api.reading_examples import BALANCE, ENTRIES, PENDING, STATEMENT_CSV, STATEMENT_JSON, TRANSFERS
from ingest_api.statement_forms import CsvForm, Form, Frame, JsonForm
from schemas.http import Entry, EntryPage
from schemas.http_reading import Balance, PendingRequests, Statement, TransferPage
from schemas.moments import MOMENT_FIRST, MOMENT_LAST, parse_moment
from schemas.samples import ADAS_WALLET, DONE_AT
from schemas.transfers import format_time
from sinks.directory.gaps import decode_gap

OFFERED = ("application/json", "text/csv")
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("accept", "found"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("TEXT/CSV", "text/csv"),
        ("text/*, application/json;q=0.9", "text/csv"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("text/csv; q=0, */*", "application/json"),
        ("application/json;q=0, */*;q=0.1", "text/csv"),
        ("image/png", None),
        ("*/*;q=0", None),
        ("nonsense,,;", None),
    ],
)
def test_the_form_that_is_preferred(accept: str, found: str | None) -> None:
    assert preferred(accept, OFFERED) == found


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02T03:04:05.6Z", MOMENT),
        ("2026-01-02t03:04:05.600z", MOMENT),
        ("2026-01-02T05:04:05.6+02:00", MOMENT),
        ("2026-01-02T03:04:05.6000009-00:00", MOMENT),
        ("0001-01-01T00:00:00+14:00", MOMENT_FIRST),
        ("1969-12-31T23:59:59Z", MOMENT_FIRST),
        ("9999-12-31T23:59:59-14:00", MOMENT_LAST),
    ],
)
def test_moments(text: str, moment: datetime) -> None:
    assert parse_moment(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "1767312000",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02 03:04:05Z",
        "2026-01-02T24:00:00Z",
        "2026-01-02T03:04:60Z",
        "2026-02-30T03:04:05Z",
        "2026-01-02T03:04:05+2:00",
        "\uff12026-01-02T03:04:05Z",
    ],
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match="must be a"):
        parse_moment(text)


FRAME = Frame("w", "EUR", None, MOMENT, "1.0000", 7, 9)


def an_entry(version: int, reference: str | None) -> Entry:
    return Entry(
        transfer_id="t",
        version=version,
        amount="1.0000",
        balance=f"{version}.0000",
        currency="EUR",
        counterparty_wallet_id="c",
        reference=reference,
        completed_at=MOMENT,
    )


def written(form: Form, *stretches: list[Entry]) -> str:
    parts = [form.head(FRAME), *map(form.entries, stretches), form.tail(FRAME, "3.0000")]
    return b"".join(parts).decode()


def test_a_statement_in_json_is_what_its_schema_says() -> None:
    stretches = ([an_entry(8, 'quoted "é"')], [an_entry(9, None)])
    said = json.loads(written(JsonForm(), *stretches))
    assert list(said) == [field.alias or name for name, field in Statement.model_fields.items()]
    assert [entry["version"] for entry in said["entries"]] == [8, 9]
    assert said["entries"][0] == stretches[0][0].model_dump(mode="json")
    assert said["closing"] == {"balance": "3.0000", "version": 9}
    assert json.loads(written(JsonForm()))["entries"] == []


@pytest.mark.parametrize(
    ("reference", "cell"),
    [
        ("lunch", "lunch"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@x", "'@x"),
        ("\tx", "'\tx"),
        ('a,"b"\r\nc', 'a,"b"\r\nc'),
        (None, ""),
    ],
)
def test_a_statement_in_csv_has_no_formulas(reference: str | None, cell: str) -> None:
    lines = list(csv.DictReader(io.StringIO(written(CsvForm(), [an_entry(8, reference)]), newline="")))
    assert [line["kind"] for line in lines] == ["opening", "entry", "closing"]
    assert lines[1]["reference"] == cell


def test_the_examples_are_what_is_answered() -> None:
    for example, model in (
        (TRANSFERS, TransferPage),
        (ENTRIES, EntryPage),
        (BALANCE, Balance),
        (PENDING, PendingRequests),
    ):
        assert model.model_validate(example).model_dump(mode="json") == example
    below, above = decode_gap(TRANSFERS["next_cursor"]), decode_gap(TRANSFERS["previous_cursor"])
    assert (below.versions, above.versions) == ({ADAS_WALLET: 2}, {ADAS_WALLET: 3})
    assert format_time(below.place.completed_at) == DONE_AT
    assert Statement.model_validate(STATEMENT_JSON).model_dump(mode="json", by_alias=True) == STATEMENT_JSON
    frame = Frame(
        "w", "EUR", parse_moment(STATEMENT_JSON["from"]), parse_moment(STATEMENT_JSON["to"]), "100.0000", 1, 2
    )
    entries = [Entry.model_validate(entry) for entry in STATEMENT_JSON["entries"]]
    form = CsvForm()
    assert (form.head(frame) + form.entries(entries) + form.tail(frame, "87.5000")).decode() == STATEMENT_CSV
