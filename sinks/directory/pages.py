"""Pages of transfers: several streams, merged by the time of completion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sinks.directory.filters import MOMENT_MAX, MOMENT_MIN, Filters
from sinks.directory.gaps import Gap
from sinks.directory.history import History
from sinks.directory.streams import TOP, Budget, LegStream, ReadOn, Stream, TimeStream
from sinks.directory.transfers import TransferRow
from sinks.directory.wallets import EntryRow

EXAMINED_MAX = 5_000
"""Transfers that are looked at for one page. Where so many were passed over, the page ends, full or not."""

STRETCH_OF_SIEVE = 250
"""Looked at first where transfers have to be passed over."""

STAMPS_DIFFER = timedelta(seconds=10)
"""The stamps of a wallet's entries follow one another but for this much: clocks of workers differ, and who waits for
a wallet has looked at the clock before."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a page begins (at the newest of all without a gap), which way it goes, and how many it may have."""

    gap: Gap | None
    newer: bool
    count_max: int


@dataclass(frozen=True, slots=True)
class Page:
    """Transfers, the newest first, between two gaps; there may be more behind the one that was read to."""

    rows: list[TransferRow]
    has_more: bool
    above: Gap
    below: Gap


@dataclass(frozen=True, slots=True)
class EntriesPage:
    """Transfers behind a wallet's entries, the newest first; ``above`` and ``below`` are the lowest versions above
    those gaps."""

    rows: list[TransferRow]
    has_more: bool
    above: int
    below: int


class Pages:
    """Makes pages. Each method raises DatabaseAwayError."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def of_all(self, filters: Filters, turn: Turn) -> Page:
        """A page of the transfers of everybody."""
        stream = _time_stream(partial(self._history.all, filters=filters, newer=turn.newer), filters, turn)
        rows = await self._history.marked(filters, None)
        if rows is not None:
            stream.preset(rows)
        return await _page({}, stream, {}, turn)

    async def of_wallets(self, newest: Mapping[str, int], filters: Filters, turn: Turn) -> Page:
        """A page of what has moved money into these wallets or out of them, and of what failed to move it out.

        ``newest`` has their versions, by wallet.
        """
        wallet_ids = list(newest)
        failed = _time_stream(
            partial(self._history.failed, wallet_ids, filters=filters, newer=turn.newer), filters, turn
        )
        starts = {wallet_id: _start(wallet_id, version, turn) for wallet_id, version in newest.items()}
        share = max(1, EXAMINED_MAX // (len(newest) + 1))
        stretch = min(share, _stretch(filters, turn.count_max))
        legs = {}
        for wallet_id, version in newest.items():
            first, last = (starts[wallet_id], version) if turn.newer else (1, starts[wallet_id] - 1)
            bounds = await self._bounds(wallet_id, first, last, filters)
            legs[wallet_id] = LegStream(
                self._history, wallet_id, bounds, filters, stretch, elsewhere=wallet_ids, newer=turn.newer
            )
        if filters.status not in {None, "FAILED"}:
            failed.preset([])
        if filters.status not in {None, "COMPLETED"}:
            for stream in legs.values():
                stream.preset([])
        rows = await self._history.marked(filters, wallet_ids)
        if rows is not None:
            failed.preset([row for row in rows if row.status == "FAILED"])
            for stream in legs.values():
                stream.preset(rows)
        return await _page(legs, failed, starts, turn)

    async def entries(
        self, wallet_id: str, first: int, last: int, filters: Filters, *, newer: bool, count_max: int
    ) -> EntriesPage:
        """A page of a wallet's entries ``first`` to ``last``, from the last one on or, ``newer``, from the first."""
        bounds = await self._bounds(wallet_id, first, last, filters)
        stretch = _stretch(filters, count_max)
        stream = LegStream(self._history, wallet_id, bounds, filters, stretch, elsewhere=(), newer=newer)
        rows = await self._history.marked(filters, [wallet_id])
        if rows is not None:
            stream.preset(rows)
        found, has_more = await _merge([stream], count_max, newer=newer)
        if newer:
            return EntriesPage(found[::-1], has_more, stream.gap, first)
        return EntriesPage(found, has_more, last + 1, stream.gap)

    async def _bounds(self, wallet_id: str, first: int, last: int, filters: Filters) -> tuple[int, int]:
        """The versions among these that may have been completed when the filters ask for."""
        if filters.completed_from > MOMENT_MIN and first <= last:
            first = max(first, 1 + await self._history.version_at(wallet_id, filters.completed_from - STAMPS_DIFFER))
        if filters.completed_before < MOMENT_MAX and first <= last:
            last = min(last, await self._history.version_at(wallet_id, filters.completed_before + STAMPS_DIFFER))
        return first, last


def entry_of(row: TransferRow, wallet_id: str) -> EntryRow:
    """The completed transfer as one of its wallets sees it."""
    is_out = row.source_wallet_id == wallet_id
    version = row.source_version if is_out else row.destination_version
    balance = row.source_balance if is_out else row.destination_balance
    if version is None or balance is None:
        raise ValueError("a failed transfer has no entries")
    return EntryRow(
        transfer_id=row.transfer_id,
        version=version,
        amount="-" + row.amount if is_out else row.amount,
        balance=balance,
        currency=row.currency,
        counterparty_wallet_id=row.destination_wallet_id if is_out else row.source_wallet_id,
        reference=row.reference,
        completed_at=row.completed_at,
    )


def _start(wallet_id: str, newest: int, turn: Turn) -> int:
    """The lowest version above the gap. A wallet that came after the gap was made lies above it."""
    if turn.gap is None:
        return newest + 1
    return min(newest + 1, max(1, turn.gap.versions.get(wallet_id, 1)))


def _stretch(filters: Filters, count_max: int) -> int:
    return STRETCH_OF_SIEVE if filters.is_sieve else count_max + 1


def _time_stream(read_on: ReadOn, filters: Filters, turn: Turn) -> TimeStream:
    start = TOP if turn.gap is None else turn.gap.place
    return TimeStream(read_on, start, _stretch(filters, turn.count_max), newer=turn.newer)


async def _page(legs: Mapping[str, LegStream], others: TimeStream, starts: Mapping[str, int], turn: Turn) -> Page:
    rows, has_more = await _merge([*legs.values(), others], turn.count_max, newer=turn.newer)
    begun = Gap(starts, others.top)
    reached = Gap({wallet_id: stream.gap for wallet_id, stream in legs.items()}, others.gap)
    if turn.newer:
        return Page(rows[::-1], has_more, above=reached, below=begun)
    return Page(rows, has_more, above=begun, below=reached)


async def _merge(streams: Sequence[Stream], count_max: int, *, newer: bool) -> tuple[list[TransferRow], bool]:
    """As many of the streams' transfers in the order of time, and whether there may be more."""
    budget, rows = Budget(EXAMINED_MAX), list[TransferRow]()
    choose = min if newer else max
    for stream in streams:  # each of them comes further, whatever the others take
        await stream.begin(budget)
    while True:
        for stream in streams:
            await stream.fill(budget)
        heads = [(stream.head, stream) for stream in streams]
        if any(head is None and not stream.is_read for head, stream in heads):
            return rows, True
        ahead = [(head.completed_at, stream) for head, stream in heads if head is not None]
        if not ahead or len(rows) == count_max:
            return rows, bool(ahead)
        rows.append(choose(ahead, key=lambda one: one[0])[1].pop())
