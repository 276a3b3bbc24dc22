"""Those who wait for the outcome of a transfer, each until it is told of it."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from ingest_api.metrics import WAITING
from schemas.outcome_ids import TRANSFER_ID
from sinks.kafka.records import Consumed

WAITS_MAX = 1_000
"""Half of all requests that may be in progress: waiting must not keep others from being accepted."""

CALLER_MAX = 250
"""Likewise, half of what one caller may have in progress."""

LETTERS_MAX = 8
"""Dead letters under one id that a wait keeps. Anyone may use an id again, any number of times."""


class Wait:
    """One who waits. ``outcome`` and ``letters`` are records that bear its transfer's id."""

    def __init__(self, transfer_id: bytes) -> None:
        self.transfer_id: Final = transfer_id
        self.outcome: Consumed | None = None
        self.letters: list[Consumed] = []
        self.is_over = False
        """Nothing more will be told: the reading broke off, or this process is about to end."""
        self._told = asyncio.Event()

    async def more(self) -> None:
        """Return as soon as something is told that was not before the last call."""
        await self._told.wait()
        self._told.clear()

    def tell_outcome(self, record: Consumed) -> None:
        """Take note of what came of the transfer."""
        self.outcome = record
        self._told.set()

    def tell_letter(self, record: Consumed) -> None:
        """A request with this id was set aside."""
        if len(self.letters) < LETTERS_MAX:
            self.letters.append(record)
        self._told.set()

    def end(self) -> None:
        """Nothing more will be told."""
        self.is_over = True
        self._told.set()


class Waits:
    """Finds those who wait for a record. Looking at one that nobody waits for takes some 0.1 µs."""

    def __init__(self) -> None:
        self._by_id: dict[bytes, list[Wait]] = {}
        self._callers: Counter[str] = Counter()
        self._is_closed = False
        WAITING.set_function(self._callers.total)

    def __bool__(self) -> bool:
        return bool(self._by_id)

    @contextmanager
    def one_more(self, user_id: str, transfer_id: str) -> Iterator[Wait | None]:
        """A wait for as long as the block lasts; None where this process has too many, or this caller."""
        if self._is_closed or self._callers.total() >= WAITS_MAX or self._callers[user_id] >= CALLER_MAX:
            yield None
            return
        wait = Wait(transfer_id.encode())
        self._callers[user_id] += 1
        self._by_id.setdefault(wait.transfer_id, []).append(wait)
        try:
            yield wait
        finally:
            self._callers[user_id] -= 1
            if not self._callers[user_id]:
                del self._callers[user_id]
            others = self._by_id[wait.transfer_id]
            others.remove(wait)
            if not others:
                del self._by_id[wait.transfer_id]

    def tell_outcomes(self, records: Sequence[Consumed]) -> None:
        """These were published."""
        by_id = self._by_id
        if by_id:
            for record in records:
                waiting = by_id.get((record.value or b"")[TRANSFER_ID])
                if waiting is not None:
                    for wait in waiting:
                        wait.tell_outcome(record)

    def tell_letters(self, records: Sequence[Consumed]) -> None:
        """These were set aside."""
        for record in records:
            for wait in self._by_id.get((record.value or b"")[TRANSFER_ID], ()):
                wait.tell_letter(record)

    def end_all(self) -> None:
        """Tell all who wait that nothing more will be told."""
        for waiting in self._by_id.values():
            for wait in waiting:
                wait.end()

    def close(self) -> None:
        """Likewise, and let nobody wait any more."""
        self._is_closed = True
        self.end_all()
