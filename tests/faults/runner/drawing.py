"""The part of the load that is no ordinary transfer: money is held, and drawn on what was acknowledged not long ago,
so that draws on the same transfer meet."""

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from schemas.holds import hold_wallet_id
from schemas.money import UNITS_PER_ONE
from schemas.transfers import CAPTURE, HOLD, REVERSAL, VOID, Kind
from tests.faults.runner.book import Book, Payment

SHARE = 0.15
"""Of all requests."""

KINDS: tuple[Kind, ...] = (HOLD, HOLD, CAPTURE, CAPTURE, VOID, REVERSAL, REVERSAL)
EXPIRING = 0.5
"""Of the holds."""

EXPIRES_S = (0.5, 3.0)
WHOLE = 0.4
"""Of the draws take all, or want to."""

RECENT_MAX = 60
REVERSIBLE = 0.05
"""Of the ordinary transfers."""

UNITS_MAX = 20 * UNITS_PER_ONE


class Drawing:
    """Chooses what to hold, and what to draw on."""

    def __init__(self, book: Book, wallets: Sequence[str], random: Random) -> None:
        self._book = book
        self._wallets = wallets
        self._random = random
        self._holds: deque[str] = deque(maxlen=RECENT_MAX)
        self._paid: deque[str] = deque(maxlen=RECENT_MAX)

    def note(self, transfer_id: str) -> None:
        """This was acknowledged: it may be drawn on, if it comes to anything."""
        kind = self._book.asked[transfer_id].kind
        if kind == HOLD:
            self._holds.append(transfer_id)
        elif kind == CAPTURE or (kind is None and self._random.random() < REVERSIBLE):
            self._paid.append(transfer_id)

    def hold(self, wallet: str) -> Payment:
        """A hold of some of its money, with an end or without."""
        end = None
        if self._random.random() < EXPIRING:
            end = datetime.now(UTC) + timedelta(seconds=self._random.uniform(*EXPIRES_S))
        return Payment(wallet, hold_wallet_id(wallet), self._part(UNITS_MAX), HOLD, expires_at=end)

    def next(self, *, may_leave_open: bool) -> Payment:
        """A hold, or a draw on a recent transfer. ``may_leave_open``: how much it takes may be left to the API."""
        kind = self._random.choice(KINDS)
        parents = self._paid if kind == REVERSAL else self._holds
        if kind == HOLD or not parents:
            return self.hold(self._random.choice(self._wallets))
        parent_id = self._random.choice(parents)
        parent = self._book.asked[parent_id]
        units: int | None = self._part(parent.units or UNITS_MAX)
        if self._random.random() < WHOLE:
            units = None if may_leave_open else parent.units or units
        return Payment(parent.destination, self._destination(kind, parent), units, kind, parent_id)

    def _destination(self, kind: Kind, parent: Payment) -> str:
        if kind == CAPTURE:
            return self._random.choice(self._wallets)
        if parent.kind == CAPTURE and parent.parent is not None:  # goes back to where the money was held
            return self._book.asked[parent.parent].source
        return parent.source

    def _part(self, units: int) -> int:
        return self._random.randint(1, units)
