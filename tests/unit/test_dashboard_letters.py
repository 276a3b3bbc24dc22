"""Dead letters as the page gets them."""

from datetime import UTC, datetime

import pytest
from builders import consumed, new_id
from pydantic import SecretStr

from ingest_api.problems import ProblemError
from ops.dashboard.faults import as_problems
from ops.dashboard.letter_bodies import HEX_LINES_MAX, TEXT_BYTES_MAX, letter_of, shown, summary_of
from ops.dlq.actions import Action, Known
from ops.dlq.errors import BusyError, DeadLetterError, NoLetterError, UnconfirmedError
from ops.dlq.letters import read_letter
from ops.dlq.selection import State
from ops.topic_reader import TopicReadError
from schemas.settings import Settings
from sinks.errors import DatabaseAwayError
from streams.requests import DeadLetter, dead_letter_record

SETTINGS = Settings(postgres_password=SecretStr("none"), secret_key=SecretStr("none" * 8))
BEYOND_2_53 = 2**53 + 1


def known(value: bytes | None, action: Action | None = None) -> Known:
    request = consumed(BEYOND_2_53, value, key=b"key", partition=2, headers=[("trace", b"\xff"), ("empty", None)])
    written = dead_letter_record(DeadLetter(request, "undecodable", "the detail"))
    letter = consumed(BEYOND_2_53, written.value, key=written.key, partition=2, headers=written.headers)
    return Known(read_letter(letter), action)


def test_offsets_are_text_that_keeps_every_digit() -> None:
    action = Action(State.REPLAYED, "eve", datetime.now(UTC), datetime.now(UTC), None, None, 1, BEYOND_2_53)
    told = summary_of(known(b"x", action)).model_dump(mode="json")
    assert told["address"] == "2:9007199254740993"
    assert (told["source_offset"], told["request_offset"]) == ("9007199254740993",) * 2
    assert told["state"] == "replayed"


def test_everything_about_a_letter_is_told() -> None:
    transfer_id = new_id()
    letter = letter_of(SETTINGS, known(f'{{"transfer_id": "{transfer_id}"}}'.encode()))
    assert letter.transfer_id == transfer_id
    assert letter.is_replayable
    assert "producer mended" in letter.next_step
    assert letter.header_count == 2
    assert letter.headers[0].value is not None
    assert (letter.headers[0].value.text, letter.headers[0].value.hex) == (None, ["00000000  ff" + " " * 47 + "."])
    assert letter.headers[1].value is None
    assert letter.key is not None
    assert letter.key.text == "key"


def test_bytes_are_shown_as_text_and_in_hexadecimal() -> None:
    assert shown(None) is None
    found = shown("Größe\n".encode())
    assert found is not None
    assert (found.size, found.text, found.is_cut) == (8, "Größe\n", False)
    assert found.hex == ["00000000  47 72 c3 b6 c3 9f 65 0a                          Gr....e."]


@pytest.mark.parametrize("raw", [b"\xff", b"\x00", "\u202e".encode(), b"a\x1b[31m"])
def test_what_is_no_plain_text_is_not_shown_as_text(raw: bytes) -> None:
    found = shown(raw)
    assert found is not None
    assert found.text is None


def test_of_many_bytes_the_first_are_shown() -> None:
    found = shown("ä".encode() * TEXT_BYTES_MAX + b"x")
    assert found is not None
    assert found.is_cut
    assert found.text == "ä" * (TEXT_BYTES_MAX // 2)
    odd = shown(b"x" + "ä".encode() * TEXT_BYTES_MAX)
    assert odd is not None
    assert odd.text == "x" + "ä" * ((TEXT_BYTES_MAX - 1) // 2)
    assert len(odd.hex) == HEX_LINES_MAX


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NoLetterError("there is no dead letter 1:2"), 404, "letter_not_found"),
        (BusyError("busy"), 409, "letters_busy"),
        (UnconfirmedError("late"), 503, "broker_unavailable"),
        (DeadLetterError("too large"), 409, "letter_not_replayable"),
        (TopicReadError("stuck"), 503, "broker_unavailable"),
        (TimeoutError(), 503, "broker_unavailable"),
    ],
)
def test_what_goes_wrong_is_a_problem_document(error: Exception, status: int, code: str) -> None:
    with pytest.raises(ProblemError) as told, as_problems():
        raise error
    assert (told.value.status_code, told.value.code) == (status, code)


def test_a_database_that_is_away_may_come_back() -> None:
    with pytest.raises(DatabaseAwayError), as_problems():
        raise ConnectionRefusedError


def test_a_fault_of_ours_is_none_of_theirs() -> None:
    with pytest.raises(ZeroDivisionError), as_problems():
        raise ZeroDivisionError
