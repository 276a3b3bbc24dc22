"""Whose a wallet is: asked of the database once, then remembered."""

from collections.abc import Iterable

from ingest_api.bounded_cache import BoundedCache
from ingest_api.problems import wallet_not_found
from ingest_api.tokens import Caller
from ingest_api.visibility import sees_all
from schemas.access import Right
from sinks.directory.wallets import Owner, Wallets

REMEMBERED_MAX = 50_000


class WalletOwners:
    """Ownership never changes, so that what was found stays true. What was not found may yet come, and is not kept."""

    def __init__(self, wallets: Wallets) -> None:
        self._wallets = wallets
        self._owners: BoundedCache[str, Owner] = BoundedCache(REMEMBERED_MAX)
        self._worlds: dict[str, str] = {}  # no more than there are currencies

    async def owner_of(self, wallet_id: str) -> Owner:
        """The owner. Raises ProblemError (404) when there is no such wallet, and DatabaseAwayError."""
        owner = self._owners.get(wallet_id)
        if owner is None:
            owner = await self._wallets.owner_of(wallet_id)
            if owner is None:
                raise wallet_not_found()
            self._owners.put(wallet_id, owner)
        return owner

    async def known(self, wallet_ids: Iterable[str]) -> dict[str, Owner]:
        """The owners of those wallets that exist, with one statement at most. Raises DatabaseAwayError."""
        wallet_ids = set(wallet_ids)
        found = self.remembered(wallet_ids)
        if len(found) < len(wallet_ids):
            for wallet_id, owner in (await self._wallets.owners_of(sorted(wallet_ids - found.keys()))).items():
                self._owners.put(wallet_id, owner)
                found[wallet_id] = owner
        return found

    def remembered(self, wallet_ids: Iterable[str]) -> dict[str, Owner]:
        """Those of them for which nobody need be asked."""
        return {wallet_id: owner for wallet_id in wallet_ids if (owner := self._owners.get(wallet_id)) is not None}

    async def require_access(self, caller: Caller, wallet_id: str) -> None:
        """Return if the caller may use the wallet. Raises the very same as for a wallet that does not exist."""
        owner = await self.owner_of(wallet_id)
        if owner.user_id != caller.user_id and not caller.may(Right.MOVE_ALL):
            raise wallet_not_found()

    async def require_sight(self, caller: Caller, wallet_id: str) -> None:
        """Return if the caller may read what is the wallet's. Raises the very same as for one that does not exist."""
        owner = await self.owner_of(wallet_id)
        if owner.user_id != caller.user_id and not sees_all(caller):
            raise wallet_not_found()

    async def world_of(self, currency: str) -> str:
        """Id of the currency's world wallet. Raises DatabaseAwayError."""
        wallet_id = self._worlds.get(currency)
        if wallet_id is None:
            wallet_id = self._worlds[currency] = await self._wallets.world(currency)
        return wallet_id
