"""Wallets as the last decisions left them, so that the next ones need not ask the database."""

from collections.abc import Iterable, Mapping

from sinks.ledger.spending import Spending
from sinks.ledger.types import ORDINARY, WalletState

WALLETS_MAX = 100_000
"""Of each of the two generations, and those of one decision more. A wallet takes some 350 bytes."""


class WalletMemory:
    """What is known of the wallets in use lately.

    Whatever is decided on it is a guess until the database has confirmed the versions. Only active wallets are kept:
    those that are not refuse transfers, which writes nothing to their rows and so would confirm nothing.
    """

    def __init__(self, wallets_max: int = WALLETS_MAX) -> None:
        self._wallets_max = wallets_max
        self._young: dict[str, WalletState] = {}
        self._old: dict[str, WalletState] = {}
        self.limited: set[str] = set()
        """Those with a limit for the day."""
        self.spending: dict[str, Spending] = {}
        """What has left those of them that have paid since they were learned of. It lives no longer than the wallet's
        state: so whatever changes it changes the version that the next decision relies on."""

    def recall(self, wallet_ids: Iterable[str]) -> tuple[dict[str, WalletState], list[str]]:
        """What is known of these wallets, and those of which nothing is.

        Those that were not used for a long time are forgotten here, before anything is decided on them, and not while
        it is.
        """
        if len(self._young) > self._wallets_max:
            self._old, self._young = self._young, {}
            self.limited &= self._old.keys()
            self.spending = {w: spending for w, spending in self.spending.items() if w in self._old}
        young, old = self._young, self._old
        known: dict[str, WalletState] = {}
        unknown: list[str] = []
        for wallet_id in wallet_ids:
            state = young.get(wallet_id) or old.get(wallet_id)
            if state is None:
                unknown.append(wallet_id)
            else:
                known[wallet_id] = state
        return known, unknown

    def learn(self, states: Mapping[str, WalletState]) -> None:
        """Remember these, which were unknown, as the database has them."""
        for wallet_id, state in states.items():
            if state.terms is not ORDINARY and state.terms.day_max is not None:
                self.limited.add(wallet_id)
            else:
                self.limited.discard(wallet_id)
            self.spending.pop(wallet_id, None)
        self.keep(states)

    def keep(self, states: Mapping[str, WalletState]) -> None:
        """Remember these."""
        self._young.update({wallet_id: state for wallet_id, state in states.items() if state.is_active})
