"""Pages of transfers hold each transfer once, whatever is added while somebody leafs through them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from unittest.mock import patch
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_history import MOMENT, MemoryHistory, passes, version_at

from sinks.directory import pages as pages_module
from sinks.directory.filters import Filters
from sinks.directory.gaps import Gap, decode_gap, encode_gap
from sinks.directory.history import Place
from sinks.directory.pages import Page, Pages, Turn
from sinks.directory.transfers import TransferRow
from sinks.directory.wallets import VERSION_MAX

OWN = ["00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"]
OTHERS = ["00000000-0000-4000-8000-00000000000c", "00000000-0000-4000-8000-00000000000d"]

FILTERS = st.sampled_from(
    [
        Filters(),
        Filters(status="FAILED"),
        Filters(status="COMPLETED"),
        Filters(amount_min=Decimal(2)),
        Filters(reference="rare"),
        Filters(metadata={"order": "1"}),
        Filters(completed_from=MOMENT.replace(minute=1), completed_before=MOMENT.replace(minute=2)),
        Filters(status="COMPLETED", amount_max=Decimal(1), completed_before=MOMENT.replace(minute=1, second=30)),
    ]
)


def filled(random: Random, count: int) -> MemoryHistory:
    """Transfers among four wallets, by workers whose clocks differ by up to ten seconds."""
    history = MemoryHistory()
    for number in range(count):
        add_one(history, random, number)
    return history


def add_one(history: MemoryHistory, random: Random, number: int) -> TransferRow:
    source, destination = random.sample(OWN + OTHERS, 2)
    return history.add(
        source,
        destination,
        after_s=number * 2 + random.choice((0, 0, 5, 10)),
        reason=random.choice((None, None, "insufficient_funds")),
        transfer_id=str(UUID(int=random.getrandbits(128))),
        amount=f"{random.randint(1, 3)}.0000",
        reference=random.choice((None, "rare", "often")),
        metadata=random.choice((None, {"order": "1"}, {"order": "2", "x": "y"})),
    )


def visible(row: TransferRow) -> bool:
    return row.source_wallet_id in OWN or (row.destination_wallet_id in OWN and row.status == "COMPLETED")


def newest(history: MemoryHistory) -> dict[str, int]:
    return {wallet_id: history.versions.get(wallet_id, 0) for wallet_id in OWN}


def walk(
    page_of: Callable[[Turn], Page], gap: Gap | None, count_max: int, *, newer: bool, between: Callable[[], object]
) -> tuple[list[TransferRow], list[Page]]:
    """All pages in one direction, and what they show, the newest first."""
    rows: list[TransferRow] = []
    walked: list[Page] = []
    while not walked or walked[-1].has_more:
        page = page_of(Turn(gap, newer, count_max))
        assert len(page.rows) <= count_max
        walked.append(page)
        rows = [*page.rows, *rows] if newer else [*rows, *page.rows]
        gap = decode_gap(encode_gap(page.above if newer else page.below))
        between()
        assert len(walked) < 500, "it comes no further"
    return rows, walked


@dataclass(frozen=True)
class Case:
    """A ledger, and how somebody leafs through it."""

    seed: int
    count: int
    count_max: int
    filters: Filters
    has_candidates: bool
    examined_max: int


CASES = st.builds(
    Case,
    st.integers(0, 10**6),
    st.integers(0, 90),
    st.integers(1, 7),
    FILTERS,
    st.booleans(),
    st.sampled_from([4, 20, 5_000]),
)


@pytest.mark.parametrize("everybody", [False, True])
@settings(deadline=None, max_examples=60)
@given(case=CASES)
def test_each_transfer_is_on_one_page(everybody: bool, case: Case) -> None:
    random, filters = Random(case.seed), case.filters
    history = filled(random, case.count)
    history.has_candidates = case.has_candidates
    pages = Pages(history)

    def page_of(turn: Turn) -> Page:
        if everybody:
            return asyncio.run(pages.of_all(filters, turn))
        return asyncio.run(pages.of_wallets(newest(history), filters, turn))

    expected = [row for row in history.rows if passes(row, filters) and (everybody or visible(row))]
    later: list[TransferRow] = []
    with (
        patch.object(pages_module, "EXAMINED_MAX", case.examined_max),
        patch.object(pages_module, "STRETCH_OF_SIEVE", 3),
    ):
        rows, walked = walk(
            page_of,
            None,
            case.count_max,
            newer=False,
            between=lambda: later.append(add_one(history, random, case.count + 10 + len(later))),
        )
        assert sorted(map(repr, rows)) == sorted(map(repr, expected))
        # Back again: what was there, and all that has come since.
        back, _ = walk(page_of, walked[-1].below, case.count_max, newer=True, between=lambda: None)
    everything = expected + [row for row in later if passes(row, filters) and (everybody or visible(row))]
    assert sorted(map(repr, back)) == sorted(map(repr, everything))


@given(seed=st.integers(0, 10**6), filters=FILTERS, examined_max=st.sampled_from([6, 5_000]), newer=st.booleans())
def test_a_wallets_entries_are_on_one_page_each(seed: int, filters: Filters, examined_max: int, newer: bool) -> None:
    history = filled(Random(seed), 60)
    pages, [wallet_id, *_] = Pages(history), OWN
    last = history.versions.get(wallet_id, 0)
    low, high, found, has_more = 1, last, [], True
    with patch.object(pages_module, "EXAMINED_MAX", examined_max), patch.object(pages_module, "STRETCH_OF_SIEVE", 3):
        while has_more:
            page = asyncio.run(pages.entries(wallet_id, low, high, filters, newer=newer, count_max=3))
            found += page.rows
            low, high = (page.above, high) if newer else (low, page.below - 1)
            has_more = page.has_more
    expected = [row for row in history.rows if history.leg_of(row, wallet_id) and passes(row, filters)]
    assert sorted(map(repr, found)) == sorted(map(repr, expected))


def test_a_page_of_rare_transfers_ends_early() -> None:
    history = MemoryHistory()
    for number in range(12_000):
        history.add(OWN[0], OTHERS[0], after_s=number, reference="rare" if number == 0 else None)
    page = asyncio.run(Pages(history).of_wallets(newest(history), Filters(reference="rare"), Turn(None, False, 10)))
    assert (page.rows, page.has_more) == ([], True)
    assert 4_000 < history.examined <= pages_module.EXAMINED_MAX


@given(seed=st.integers(0, 10**6), count=st.integers(0, 400), at_s=st.integers(-10, 900))
def test_the_version_at_a_moment_never_changes_and_never_falls(seed: int, count: int, at_s: int) -> None:
    """Of stamps that run backwards now and then, one before the moment is found, whose successor is behind it."""
    random = Random(seed)
    stamps = {n: MOMENT.replace(second=0) + n * (MOMENT.replace(second=2) - MOMENT) for n in range(1, count + 1)}
    stamps = {n: at + random.choice((0, 0, 5)) * (MOMENT.replace(second=1) - MOMENT) for n, at in stamps.items()}
    moment = MOMENT + at_s * (MOMENT.replace(second=1) - MOMENT)
    found = version_at(stamps, moment)
    assert found == 0 or stamps[found] <= moment
    assert found == count or stamps[found + 1] > moment
    assert found <= version_at(stamps, moment.replace(microsecond=1))
    later = {count + n: moment.replace(microsecond=1) for n in range(1, 300)}
    assert version_at(stamps | later, moment) == found


@pytest.mark.parametrize("text", ["", "x", "AAAA", "-", "_" * 60, "gA", "é", "a b"])
def test_a_made_up_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        decode_gap(text)


@given(st.binary(max_size=80))
def test_no_bytes_break_the_reading_of_cursors(raw: bytes) -> None:
    import base64  # noqa: PLC0415

    try:
        gap = decode_gap(base64.urlsafe_b64encode(raw).decode().rstrip("="))
    except ValueError:
        return
    assert all(0 <= version <= VERSION_MAX for version in gap.versions.values())


def test_a_cursor_comes_back_as_it_was() -> None:
    gap = Gap(dict.fromkeys(OWN, 2**40), Place(MOMENT, OTHERS[0], is_above=True))
    assert decode_gap(encode_gap(gap)) == gap
    assert len(encode_gap(gap)) < 120
