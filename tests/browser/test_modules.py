"""The page's own arithmetic and reading, apart from what it draws."""

from typing import Any

import pytest
from browser_visit import Visit

PARSED = """async (pieces) => {
  const { parser } = await import('/ops/static/stream.js');
  const told = [];
  const take = parser((name, data) => told.push([name, data]));
  for (const piece of pieces) take(piece);
  return told;
}"""
CALLED = "async ([module, name, given]) => (await import(`/ops/static/${module}.js`))[name](...given)"


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("grouped", ["9007199254740993"], "9,007,199,254,740,993"),
        ("grouped", ["-99999999999999.9999"], "-99,999,999,999,999.9999"),
        ("grouped", ["123.4567"], "123.4567"),
        ("grouped", ["-"], "\u2013"),
        ("rate", [None], "\u2013"),
        ("rate", [1234.5], "1,235"),
        ("rate", [0.25], "0.3"),
        ("rate", [0], "0"),
        ("duration", [0.0314159], "31.4 ms"),
        ("duration", [0.000042], "42 µs"),
        ("duration", [7.25], "7.25 s"),
        ("span", [0.4], "0 s"),
        ("span", [3725], "1 h 2 min"),
        ("span", [86400], "1 d"),
        ("bytes", ["141557760"], "135 MiB"),
        ("share", [1, 3], "33.3 %"),
        ("share", [1, 100000], "<0.1 %"),
        ("share", [1, 0], "\u2013"),
        ("ranges", [[5, 0, 1, 2]], "0\u20132, 5"),
        ("ranges", [[]], ""),
    ],
)
async def test_numbers_are_written_for_people(visit: Visit, name: str, given: list[Any], expected: str) -> None:
    await visit.open()
    assert await visit.page.evaluate(CALLED, ["numbers", name, given]) == expected


async def test_events_are_read_in_whatever_pieces_they_come(visit: Visit) -> None:
    await visit.open()
    text = 'event: start\ndata: {"a": "ä"}\n\n: nothing\n\nevent: look\ndata: {"b": 2}\n\nevent: look\ndata: {"c"'
    expected = [["start", {"a": "ä"}], ["look", {"b": 2}]]
    for size in (1, 7, len(text)):
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        assert await visit.page.evaluate(PARSED, pieces) == expected
