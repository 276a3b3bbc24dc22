"""`hfts dlq` as it is typed: what it prints, asks and returns."""

import asyncio
from collections.abc import Callable

import orjson
import pytest
from dead_letters import letter_record, write_letters
from typer.testing import CliRunner, Result
from workers import environment_of

from ops.cli import build_app
from ops.dlq.address import Address
from ops.dlq.errors import DeadLetterError
from ops.dlq.listing import find_letter
from ops.dlq.selection import State
from schemas.settings import Settings
from sinks.kafka.records import Record

Dlq = Callable[..., Result]
TRANSFER = "dddddddd-0000-0000-0000-000000000001"


@pytest.fixture
async def letters(settings: Settings) -> Settings:
    """0:0 undecodable with bytes that are no text, 0:1 invalid, 1:0 wrongly keyed, 2:0 none of ours."""
    invalid = orjson.dumps({"transfer_id": TRANSFER, "note": "zwölf \u202e"})
    await write_letters(
        settings,
        (0, letter_record(settings, 7, partition=0, value=b"\xff\x00\x1b[31m", headers=[("trace", b"abc")])),
        (0, letter_record(settings, 8, partition=0, value=invalid, cause="invalid_request")),
        (1, letter_record(settings, 9, partition=1, key=b"astray", cause="wrong_key")),
        (2, Record(b"k", b"[bold]made up[/bold]", [])),
    )
    return settings


@pytest.fixture
def dlq(letters: Settings, monkeypatch: pytest.MonkeyPatch) -> Dlq:
    """Runs `hfts dlq` on the letters."""
    for name, value in environment_of(letters).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str, answer: str = "") -> Result:
        return CliRunner().invoke(build_app(), ["dlq", *arguments], input=answer)

    return run


def state_of(settings: Settings, partition: int, offset: int) -> State:
    return asyncio.run(find_letter(settings, Address(partition, offset))).state


def test_letters_are_listed_with_a_summary_or_as_json(dlq: Dlq) -> None:
    listed = dlq("list")
    assert listed.exit_code == 0, listed.output
    for text in ("0:0", "the detail of 0:7", TRANSFER, "By cause", "unreadable"):
        assert text in listed.output
    assert "The first 2 of 4" in dlq("list", "--limit", "2").output
    lines = [orjson.loads(line) for line in dlq("list", "--json").output.splitlines()]
    assert [line["address"] for line in lines] == ["0:0", "0:1", "1:0", "2:0"]
    assert (
        lines[1].items()
        >= {
            "cause": "invalid_request",
            "source_partition": 0,
            "source_offset": 8,
            "transfer_id": TRANSFER,
            "state": "open",
        }.items()
    )
    filtered = dlq("list", "--json", "--cause", "wrong_key", "--partition", "1", "--since", "1h", "--limit", "1")
    assert [orjson.loads(line)["address"] for line in filtered.output.splitlines()] == ["1:0"]
    assert "no such dead letters" in dlq("list", "--until", "1h").output


def test_a_letter_is_shown_with_what_to_do_and_its_bytes(dlq: Dlq) -> None:
    shown = dlq("show", "0:0").output
    for text in ("not JSON in UTF-8", "offset 7", "next step:", "trace: abc", "ff 00 1b 5b 33 31 6d"):
        assert text in shown
    assert "\x1b" not in shown
    assert dlq("show", "0:0", "--raw").stdout_bytes == b"\xff\x00\x1b[31m"
    assert f"transfer:  {TRANSFER}" in dlq("show", "0:1").output
    assert "[bold]made up[/bold]" in dlq("show", "2:0").output
    missing = dlq("show", "0:99")
    assert isinstance(missing.exception, DeadLetterError)
    assert "there is no dead letter 0:99" in str(missing.exception)


def test_letters_are_replayed_after_a_dry_run_and_a_question(dlq: Dlq, letters: Settings) -> None:
    planned = dlq("replay", "--all", "--dry-run")
    assert planned.exit_code == 0, planned.output
    assert "would replay 3 letters" in planned.output
    assert "in this order: 0:0, 0:1, 1:0" in planned.output
    assert "would leave 1 letter alone" in planned.output
    refused = dlq("replay", "0:1", answer="n\n")
    assert refused.exit_code == 1
    assert state_of(letters, 0, 1) is State.OPEN
    agreed = dlq("replay", "0:1", answer="y\n")
    assert agreed.exit_code == 0, agreed.output
    assert "1 letter replayed" in agreed.output
    assert state_of(letters, 0, 1) is State.REPLAYED
    again = dlq("replay", "0:1", "--yes")
    assert (again.exit_code, "1 letter left alone: replayed" in again.output) == (0, True)
    assert "2 letters replayed" in dlq("replay", "--all", "--yes").output
    assert dlq("replay", "2:0", "--yes").exit_code == 1
    assert "as request" in dlq("show", "0:1").output


def test_letters_are_discarded_for_a_reason_and_opened_again(dlq: Dlq, letters: Settings) -> None:
    assert "would discard 1 letter" in dlq("discard", "2:0", "--reason", "a test", "--dry-run").output
    assert "1 letter discarded" in dlq("discard", "2:0", "--reason", "a test", "--yes").output
    assert state_of(letters, 2, 0) is State.DISCARDED
    assert "because: a test" in dlq("show", "2:0").output
    assert [
        orjson.loads(line)["reason"] for line in dlq("list", "--json", "--state", "discarded").output.splitlines()
    ] == ["a test"]
    assert "1 letter opened again" in dlq("discard", "2:0", "--undo", answer="y\n").output
    assert state_of(letters, 2, 0) is State.OPEN
