"""The header that says which trace a request belongs to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.headers import TRACEPARENT
from schemas.traceparent import checked, is_sampled, parent_id_of, trace_id_of, traceparent_of

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{PARENT}-01".encode()
OTHER = f"00-{TRACE}-{'b' * 16}-00".encode()


def test_its_parts() -> None:
    assert checked(GOOD) == GOOD
    assert (trace_id_of(GOOD), parent_id_of(GOOD)) == (TRACE, PARENT)
    assert (is_sampled(GOOD), is_sampled(OTHER)) == (True, False)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"00",
        f"00-{TRACE}-{PARENT}".encode(),
        f"00-{TRACE}-{PARENT}-1".encode(),
        f"00-{TRACE}-{PARENT}-01-".encode(),
        f"00-{TRACE}-{PARENT}-01-more".encode(),
        f"00-{TRACE}-{PARENT}-01 ".encode(),
        f" 00-{TRACE}-{PARENT}-01".encode(),
        f"00-{TRACE}-{PARENT}-01\n".encode(),
        f"00-{TRACE.upper()}-{PARENT}-01".encode(),
        f"00-{'0' * 32}-{PARENT}-01".encode(),
        f"00-{TRACE}-{'0' * 16}-01".encode(),
        f"00-{TRACE}-{PARENT}-0g".encode(),
        f"00_{TRACE}_{PARENT}_01".encode(),
        f"0x-{TRACE}-{PARENT}-01".encode(),
        f"ff-{TRACE}-{PARENT}-01".encode(),
        f"01-{TRACE}-{PARENT}-01more".encode(),
        "\u0660\u0660".encode() + GOOD[2:],
    ],
)
def test_what_is_none(value: bytes) -> None:
    assert checked(value) is None


@pytest.mark.parametrize(("flags", "kept"), [("01", "01"), ("00", "00"), ("fe", "00"), ("ff", "01")])
@pytest.mark.parametrize("more", ["", "-what-is-to-come"])
def test_a_later_version_is_taken_as_the_one_we_know(flags: str, kept: str, more: str) -> None:
    assert checked(f"cc-{TRACE}-{PARENT}-{flags}{more}".encode()) == f"00-{TRACE}-{PARENT}-{kept}".encode()


@given(st.binary(max_size=70) | st.from_regex(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}.{0,3}"))
def test_whatever_comes_what_is_passed_on_is_valid(value: bytes) -> None:
    found = checked(value)
    assert found is None or (len(found) == 55 and checked(found) == found)


def test_of_a_record() -> None:
    assert traceparent_of([]) is None
    assert traceparent_of([("other", GOOD)]) is None
    assert traceparent_of([("a", None), (TRACEPARENT, GOOD), ("b", b"")]) == GOOD
    assert traceparent_of([(TRACEPARENT, OTHER), (TRACEPARENT, GOOD)]) == GOOD, "the last one, as in Kafka's client"
    assert traceparent_of([(TRACEPARENT, GOOD), (TRACEPARENT, b"nonsense")]) is None
    assert traceparent_of([(TRACEPARENT, None)]) is None
