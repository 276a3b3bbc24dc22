"""Whose outcomes are watched: the wallets of all users who have a stream of events open, and their hold wallets.

A wallet that is opened meanwhile is found by its first outcome: either it is the first entry of the wallet that is paid
(versions count from 1), or it failed, which is told to the wallet that was to pay. Only the owners of such wallets are
asked for, so that a stream costs no statement an outcome.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from ingest_api.owners import WalletOwners
from schemas.holds import hold_wallet_id
from schemas.outcome_ids import DESTINATION_WALLET_ID, SOURCE_WALLET_ID
from sinks.directory.wallets import Wallets
from sinks.kafka.records import Consumed

_FIRST_ENTRY = b'"destination_version":1,'
_FAILED = b'"status":"FAILED"'


class WatchedWallets:
    """Maps wallets, their ids as bytes, to those users who watch."""

    def __init__(self, wallets: Wallets, owners: WalletOwners) -> None:
        self._wallets = wallets
        self._owners = owners
        self._watching: Counter[str] = Counter()
        self._users: dict[bytes, str] = {}

    @asynccontextmanager
    async def watched_by(self, user_id: str) -> AsyncIterator[None]:
        """Watch this user's wallets, those there are and those that come. Raises DatabaseAwayError."""
        self._watching[user_id] += 1
        try:
            # They are watched already: a wallet that comes while these are read is found by its first outcome.
            for row in await self._wallets.of_user(user_id):
                for wallet_id in (row.wallet_id, hold_wallet_id(row.wallet_id)):
                    self._users[wallet_id.encode()] = user_id
            yield
        finally:
            self._watching[user_id] -= 1
            if not self._watching[user_id]:
                del self._watching[user_id]
                self._users = {wallet: user for wallet, user in self._users.items() if user != user_id}

    def user_of(self, wallet_id: bytes) -> str | None:
        """Who watches this wallet: its owner or nobody."""
        return self._users.get(wallet_id)

    async def learn(self, records: Sequence[Consumed]) -> None:
        """Find the wallets that are new with these outcomes. Raises DatabaseAwayError."""
        if not self._watching:
            return
        unknown = {wallet for record in records if (wallet := self._stranger(record.value or b"")) is not None}
        if unknown:
            owners = await self._owners.known(wallet.decode() for wallet in unknown)
            for wallet_id, owner in owners.items():
                if owner.user_id is not None and owner.user_id in self._watching:
                    self._users[wallet_id.encode()] = owner.user_id

    def _stranger(self, value: bytes) -> bytes | None:
        """The wallet of this outcome that may be new, if any."""
        if _FIRST_ENTRY in value:
            wallet = value[DESTINATION_WALLET_ID]
        elif _FAILED in value:
            wallet = value[SOURCE_WALLET_ID]
        else:
            return None
        return None if wallet in self._users else wallet
