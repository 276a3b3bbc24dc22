"""A ledger with a history in it, behind an API that runs."""

from decimal import Decimal
from typing import Any, Self

from live_api import LiveApi, Person
from memory_history import MemoryHistory
from stored_history import SET_WALLET, store

from sinks.directory.transfers import TransferRow


class Ledger:
    """Ada and Bob with a wallet each, and what they have paid each other and others."""

    def __init__(self, api: LiveApi, ada: Person, bob: Person, of_ada: str, of_bob: str) -> None:
        self.api = api
        self.ada, self.bob = ada, bob
        self.of_ada, self.of_bob = of_ada, of_bob
        self.memory = MemoryHistory()

    @classmethod
    async def open(cls, api: LiveApi) -> Self:
        ada, bob = await api.person("ada"), await api.person("bob")
        return cls(api, ada, bob, await api.wallet(ada), await api.wallet(bob))

    def pay(self, source: str, destination: str, after_s: float, **changes: Any) -> TransferRow:
        return self.memory.add(source, destination, after_s=after_s, **changes)

    async def save(self) -> None:
        await store(self.api.connection, self.memory.rows)
        for wallet_id, version in self.memory.versions.items():
            await self.api.connection.execute(SET_WALLET, wallet_id, version, Decimal(0))

    async def ids(self, query: str, person: Person) -> list[str]:
        answer = await self.api.get(f"/v1/transfers?{query}", person)
        assert answer.status_code == 200, answer.text
        return [transfer["transfer_id"] for transfer in answer.json()["data"]]
