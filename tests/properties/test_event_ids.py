"""Ids of events."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_api.event_ids import ID_CHARS_MAX, OFFSET_MAX, event_id, read_event_id


@given(nexts=st.lists(st.integers(0, OFFSET_MAX), max_size=20))
def test_an_id_is_read_as_it_was_written(nexts: list[int]) -> None:
    text = event_id(nexts)
    assert read_event_id(text, len(nexts)) == nexts
    assert text.replace("-", "").replace("_", "").isalnum()
    with pytest.raises(ValueError, match="no id"):
        read_event_id(text, len(nexts) + 1)


@given(text=st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.hex()))
def test_any_text_may_be_read(text: str) -> None:
    with suppress(ValueError):
        nexts = read_event_id(text, 3)
        assert len(nexts) == 3
        assert all(0 <= offset <= OFFSET_MAX for offset in nexts)


def test_an_id_of_many_partitions_fits_into_a_head() -> None:
    assert len(event_id([10**9] * 1_000)) < ID_CHARS_MAX
