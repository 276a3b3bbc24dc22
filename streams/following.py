"""Rows made of outcomes that were told already, so that a restored ledger goes on as it did the first time. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from schemas.money import format_units
from schemas.transfers import VOID, TransferRequest
from sinks.errors import CannotFollowError
from sinks.ledger.types import Batch, Order, Transfer, Verdict, WalletState

WALLETS_MAX = 200_000
"""Kept between two writes; a wallet takes some 350 bytes."""

Place = tuple[str, int]
"""A wallet and one of its versions: of two transfers only one can have made it."""


DecideWithFacts = Callable[
    [Sequence[Order], Mapping[str, WalletState], datetime], tuple[list[Transfer], dict[str, WalletState]]
]
"""A ``Decide`` that was given the facts."""


class Leg(NamedTuple):
    """What a completed transfer did to one of its wallets."""

    wallet_id: str
    version: int
    units_after: int
    units_moved: int


class Candidate(NamedTuple):
    """A request of which nothing was told, and when it came, in milliseconds since 1970 by the broker's clock."""

    came_ms: int
    order: Order


def legs_of(transfer: Transfer) -> tuple[Leg, ...]:
    """Both legs; none of a transfer that failed."""
    if (
        transfer.source_units is None
        or transfer.source_version is None
        or transfer.destination_units is None
        or transfer.destination_version is None
    ):
        return ()
    return (
        Leg(transfer.source_wallet_id, transfer.source_version, transfer.source_units, -transfer.units),
        Leg(transfer.destination_wallet_id, transfer.destination_version, transfer.destination_units, transfer.units),
    )


class Following:
    """Takes the told outcomes of all partitions in an order in which they can have been decided.

    Within a partition they come in their order. Across partitions a wallet's versions say which one is next, so that
    whatever was told last of a wallet, all that came before it is taken first.
    """

    def __init__(self, next_offsets: Mapping[int, int]) -> None:
        self._next_offsets = dict(next_offsets)
        self._reached: dict[int, int] = {}
        self._wallets: dict[str, WalletState | None] = {}
        self._before: dict[str, WalletState] = {}
        self._rows: list[Transfer] = []

    @property
    def rows(self) -> int:
        """How many are taken and not written yet."""
        return len(self._rows)

    @property
    def unwritten(self) -> Sequence[Transfer]:
        """Those."""
        return self._rows

    def next_offset(self, partition: int) -> int:
        """The first request of a partition that nothing has been made of."""
        return self._reached.get(partition, self._next_offsets[partition])

    def unknown(self, parties: Iterable[Transfer | TransferRequest]) -> set[str]:
        """The wallets of these that must be learned of before they are worked on."""
        ids = {wallet_id for p in parties for wallet_id in (p.source_wallet_id, p.destination_wallet_id)}
        return {wallet_id for wallet_id in ids if wallet_id not in self._wallets}

    def learn(self, asked: Iterable[str], found: Mapping[str, WalletState]) -> None:
        """Those of the wallets asked for that exist, as they are committed."""
        self._wallets.update({wallet_id: found.get(wallet_id) for wallet_id in asked})

    def known(self, requests: Iterable[TransferRequest]) -> dict[str, WalletState]:
        """Those of the wallets of these that exist, as the rows taken so far leave them."""
        named = {wallet_id for r in requests for wallet_id in (r.source_wallet_id, r.destination_wallet_id)}
        return {wallet_id: state for wallet_id in named if (state := self._wallets[wallet_id]) is not None}

    def take(self, transfer: Transfer) -> bool:
        """Make it a row; False while another must come before it.

        Raises CannotFollowError when it contradicts the ledger.
        """
        legs = legs_of(transfer)
        if not all(self._is_next(transfer, leg) for leg in legs):
            return False
        self._add(transfer, legs)
        return True

    def fill(
        self,
        waiting: Sequence[Transfer],
        told: Collection[Place],
        candidates: Iterable[Candidate],
        decide: DecideWithFacts,
        now: datetime,
    ) -> Order | None:
        """Make a row of a request that was decided before one of those ``waiting``, and of which nothing was told:
        whoever had committed it died before it could say so. None when it is none of the ``candidates``.

        They are the next requests of their partitions. Those that reach a wallet which is waited for come first, then
        others that succeed, then those that fail, each in the order in which they came. No row takes a place that was
        told to belong to another, nor the only one that is missing before a told one without bringing what is missing.
        """
        legs_ahead = [leg for transfer in waiting for leg in legs_of(transfer) if self._is_ahead(leg)]
        awaited = {leg.wallet_id for leg in legs_ahead}
        missing = dict(filter(None, map(self._last_missing, legs_ahead)))
        best: tuple[int, int, int] | None = None
        chosen: Transfer | None = None
        order: Order | None = None
        for candidate in candidates:
            known = self.known([candidate.order.request])
            [transfer], _ = decide([candidate.order], known, _decided_at(candidate, now))
            legs = legs_of(transfer)
            if any((leg.wallet_id, leg.version) in told for leg in legs):
                continue
            if any(missing.get(leg.wallet_id, leg.units_moved) != leg.units_moved for leg in legs):
                continue
            reaches = any(leg.wallet_id in awaited for leg in legs)
            rank = (0 if reaches else 1 if legs else 2, candidate.came_ms, candidate.order.partition)
            if best is None or rank < best:
                best, chosen, order = rank, transfer, candidate.order
        if chosen is not None:
            self._add(chosen, legs_of(chosen))
        return order

    def work(self, now: datetime) -> tuple[list[Batch], Verdict]:
        """What is taken and not written yet, for the ledger to write."""
        batches = [
            Batch(partition=partition, first_offset=self._next_offsets[partition], next_offset=reached, orders=[])
            for partition, reached in self._reached.items()
        ]
        changed = {wallet_id: state for wallet_id in self._before if (state := self._wallets[wallet_id]) is not None}
        return batches, Verdict(self._rows, changed, self._before, [], now)

    def written(self) -> None:
        """The last ``work`` is written."""
        self._next_offsets |= self._reached
        self._reached, self._before, self._rows = {}, {}, []
        if len(self._wallets) > WALLETS_MAX:
            self._wallets = {}

    def _is_next(self, transfer: Transfer, leg: Leg) -> bool:
        wallet = self._wallets[leg.wallet_id]
        said = f"transfer {transfer.transfer_id} was told to have left wallet {leg.wallet_id} at version {leg.version}"
        if wallet is None:
            raise CannotFollowError(f"{said}, and the ledger has no such wallet: make it, with its owner")
        if wallet.version >= leg.version:
            raise CannotFollowError(f"{said}, which another transfer has taken")
        if wallet.version + 1 < leg.version:
            return False
        if wallet.units + leg.units_moved != leg.units_after:
            raise CannotFollowError(
                f"{said} with {format_units(leg.units_after)}, but it would have "
                f"{format_units(wallet.units + leg.units_moved)}"
            )
        if not wallet.is_active and not (transfer.kind == VOID and leg.wallet_id == transfer.destination_wallet_id):
            raise CannotFollowError(f"{said}, and in the ledger that wallet is not active: make it so, for this long")
        return True

    def _is_ahead(self, leg: Leg) -> bool:
        wallet = self._wallets[leg.wallet_id]
        return wallet is not None and wallet.version + 1 < leg.version

    def _last_missing(self, leg: Leg) -> tuple[str, int] | None:
        """The wallet and what its next version must bring, if that one alone is missing before this leg."""
        wallet = self._wallets[leg.wallet_id]
        if wallet is None or wallet.version + 2 != leg.version:
            return None
        return leg.wallet_id, leg.units_after - leg.units_moved - wallet.units

    def _add(self, transfer: Transfer, legs: Iterable[Leg]) -> None:
        for leg in legs:
            wallet = self._wallets[leg.wallet_id]
            assert wallet is not None  # noqa: S101 (it was looked at before)
            self._before.setdefault(leg.wallet_id, wallet)
            self._wallets[leg.wallet_id] = WalletState(
                wallet.currency, wallet.is_world, wallet.is_active, leg.units_after, leg.version, terms=wallet.terms
            )
        self._rows.append(transfer)
        self._reached[transfer.request_partition] = transfer.request_offset + 1


def _decided_at(candidate: Candidate, now: datetime) -> datetime:
    """When to decide it: what has an end, or a parent with one, as soon as it came."""
    if candidate.order.request.kind is None:
        return now
    return min(now, datetime.fromtimestamp(candidate.came_ms / 1000, UTC))
