from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from builders import a_request, consumed, request_record

from ops.dlq.actions import Known
from ops.dlq.address import Address, parse_address
from ops.dlq.advice import explain_cause, next_step
from ops.dlq.letters import UNREADABLE, Letter, Note, read_letter, readable_transfer_id
from ops.dlq.moments import parse_moment
from ops.dlq.plain import plain, shown_bytes
from ops.dlq.replaying import CHUNK_RECORDS_MAX, chunks, is_request, request_of, target_partition
from ops.dlq.selection import Selection
from ops.dlq.settle import replayed_letter
from schemas.codes import DeadLetterCause
from schemas.headers import DEAD_LETTER_HEADERS, Headers
from schemas.settings import Settings
from sinks.kafka.partitions import partition_of
from sinks.kafka.publisher import BATCH_BYTES_MAX
from sinks.kafka.records import Consumed
from streams.requests import DeadLetter, dead_letter_record

ATTEMPT = UUID("aaaaaaaa-0000-4000-8000-000000000001")
NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)
OWN: Headers = [("cause", b"of joy"), ("empty", None), ("source-offset", b"mine")]


def dead(record: Consumed, *, offset: int = 9, cause: str = "invalid_request", detail: str = "x") -> Consumed:
    written = dead_letter_record(DeadLetter(record, cause, detail))
    return consumed(offset, written.value, key=written.key, topic="dead", partition=2, headers=written.headers)


def noted(partition: bytes, offset: bytes | None) -> Headers:
    values = (b"transfers.requested", partition, offset, b"undecodable", b"")
    return list(zip(DEAD_LETTER_HEADERS, values, strict=True))


def a_letter(offset: int = 9, *, key: bytes | None = b"k", size_bytes: int = 1, partition: int = 2) -> Letter:
    note = Note("transfers.requested", partition, 5, "invalid_request", "x")
    return Letter(Address(partition, offset), NOW, key, b"v" * size_bytes, (), note)


def test_what_was_added_is_told_from_what_the_record_came_with() -> None:
    record = consumed(41, b"\xff", key=b"k", partition=2, headers=OWN)
    written = dead(record)
    assert [name for name, _ in written.headers[-5:]] == list(DEAD_LETTER_HEADERS)
    letter = read_letter(written)
    assert (letter.address, letter.key, letter.value) == (Address(2, 9), b"k", b"\xff")
    assert letter.headers == tuple(OWN)
    assert letter.note == Note("transfers.requested", 2, 41, "invalid_request", "x")


def test_a_request_put_back_is_the_record_that_came_and_two_headers() -> None:
    record = consumed(41, b"\xff", key=b"k", partition=2, headers=OWN)
    put_back = request_of(read_letter(dead(record)), ATTEMPT)
    assert (put_back.key, put_back.value) == (record.key, record.value)
    assert put_back.headers == [*OWN, ("replay-of", b"2:9"), ("replay-attempt", str(ATTEMPT).encode())]
    assert replayed_letter(put_back.headers, ATTEMPT) == Address(2, 9)
    assert replayed_letter(put_back.headers, UUID(int=1)) is None
    assert replayed_letter([*put_back.headers, ("x", b"")], ATTEMPT) is None


def test_a_letter_of_a_replayed_request_names_its_last_source() -> None:
    first = read_letter(dead(consumed(41, b"\xff", partition=2)))
    again = consumed(77, b"\xff", partition=2, headers=request_of(first, ATTEMPT).headers)
    second = read_letter(dead(again, offset=10))
    assert second.note is not None
    assert second.note.offset == 77
    assert second.headers == (("replay-of", b"2:9"), ("replay-attempt", str(ATTEMPT).encode()))


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("cause", b"undecodable")],
        noted(b"-1", b"1"),
        noted(b"1", b"9" * 19),
        noted(b"1", None),
    ],
)
def test_what_a_worker_did_not_write_is_unreadable(headers: Headers) -> None:
    letter = read_letter(consumed(3, b"v", headers=headers))
    assert (letter.note, letter.cause, letter.headers) == (None, UNREADABLE, tuple(headers))
    assert not is_request(letter, Settings(_env_file=None, postgres_password="p", secret_key="s" * 32))


def test_letters_of_other_topics_are_no_requests() -> None:
    settings = Settings(_env_file=None, postgres_password="p", secret_key="s" * 32)
    assert is_request(read_letter(dead(consumed(1, b""))), settings)
    assert not is_request(read_letter(dead(consumed(1, b"", topic="audit"))), settings)


def test_a_transfer_id_is_read_where_it_can_be() -> None:
    request = a_request()
    assert readable_transfer_id(request_record(1, request).value) == request.transfer_id
    for unreadable in (None, b"", b"\xff", b"[]", b"{}", b'{"transfer_id": 1}', b'{"transfer_id": "1"}', b"null"):
        assert readable_transfer_id(unreadable) is None


def test_a_key_decides_the_partition_as_in_java() -> None:
    # From Kafka's own UtilsTest.testMurmur2.
    assert partition_of(b"21", 1 << 31) == -973932308 & 0x7FFFFFFF
    assert target_partition(a_letter(key=b"21"), 12) == partition_of(b"21", 12)
    assert target_partition(a_letter(key=None, partition=7), 12) == 7


def test_letters_are_cut_into_transactions_and_a_large_one_stands_alone() -> None:
    letters = [a_letter(offset) for offset in range(CHUNK_RECORDS_MAX + 1)]
    assert [len(chunk) for chunk in chunks(letters)] == [CHUNK_RECORDS_MAX, 1]
    large = a_letter(1, size_bytes=BATCH_BYTES_MAX + 1)
    assert [len(chunk) for chunk in chunks([letters[0], large, large, *letters[1:3]])] == [1, 1, 1, 2]
    half = a_letter(2, size_bytes=BATCH_BYTES_MAX // 2)
    assert [len(chunk) for chunk in chunks([half] * 10)] == [8, 2]
    assert not list(chunks([]))


@pytest.mark.parametrize(("text", "address"), [("3:17", (3, 17)), ("0:0", (0, 0))])
def test_an_address_is_read(text: str, address: tuple[int, int]) -> None:
    assert parse_address(text) == address
    assert str(parse_address(text)) == text


@pytest.mark.parametrize(
    "text", ["", "3", "3:", "-1:2", "3:17:4", "3:x", "9999999999:1", "1:9999999999999999999", " 3:1"]
)
def test_another_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="PARTITION:OFFSET"):
        parse_address(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2h", NOW - timedelta(hours=2)),
        ("90s", NOW - timedelta(seconds=90)),
        ("1w", NOW - timedelta(days=7)),
        ("2030-01-31T12:00:00Z", NOW),
        ("2030-01-31t13:00:00.000+01:00", NOW),
    ],
)
def test_a_moment_is_read(text: str, moment: datetime) -> None:
    assert parse_moment(text, NOW) == moment


@pytest.mark.parametrize(
    "text", ["", "2", "2y", "yesterday", "2030-01-31", "2030-01-31T12:00:00", "2030-13-31T12:00:00Z"]
)
def test_another_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="RFC 3339"):
        parse_moment(text, NOW)


def test_a_moment_before_time_is_refused() -> None:
    with pytest.raises(ValueError, match="RFC 3339"):
        parse_moment("999999w", NOW)


@pytest.mark.parametrize(
    ("selection", "admitted"),
    [
        (Selection(), True),
        (Selection(causes=frozenset({"invalid_request"}), partitions=frozenset({2})), True),
        (Selection(causes=frozenset({"invalid_request"}), partitions=frozenset({3})), False),
        (Selection(causes=frozenset({"wrong_key"})), False),
        (Selection(since=NOW, until=NOW), True),
        (Selection(since=NOW + timedelta(seconds=1)), False),
        (Selection(until=NOW - timedelta(seconds=1)), False),
        (Selection(addresses=frozenset({Address(2, 9)})), True),
        (Selection(addresses=frozenset({Address(2, 8)})), False),
    ],
)
def test_a_selection_admits_what_all_its_filters_admit(selection: Selection, *, admitted: bool) -> None:
    assert selection.admits(a_letter()) is admitted


def test_nothing_of_a_letter_acts_on_the_terminal() -> None:
    assert plain("a\x1b[31mb\r\n\u202e") == "a\\x1b[31mb\\r\\n\\u202e"
    assert list(shown_bytes("zwölf\n".encode())) == ["zwölf\n"]
    assert list(shown_bytes(b"\x1bA")) == ["00000000  1b 41                                            .A"]
    assert [line[:8] for line in shown_bytes(bytes(range(17)))] == ["00000000", "00000010"]
    assert [list(shown_bytes(raw)) for raw in (None, b"")] == [["(none)"], ["(empty)"]]


@pytest.mark.parametrize("cause", [*DeadLetterCause, UNREADABLE, "of a newer version"])
def test_every_cause_is_explained_with_a_next_step(cause: str) -> None:
    letter = Letter(Address(2, 9), NOW, None, None, (), Note("t", 0, 0, cause, "") if cause != UNREADABLE else None)
    assert explain_cause(cause).endswith(".")
    assert "hfts dlq" in next_step(Known(letter, None))
    assert "2:9" in next_step(Known(letter, None))
