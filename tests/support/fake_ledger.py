"""Stand-ins for what the API asks of the ledger and the topics: wallets, transfers, holds, requests."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import uuid4

from sinks.directory.holds import DrawableRow, DrawRow, Holds
from sinks.directory.transfers import Found, StoredRequest, TransferRow, Transfers
from sinks.directory.wallets import Owner, WalletRow, Wallets
from sinks.errors import BrokerAwayError, DatabaseAwayError
from sinks.kafka.positions import Position

TOPIC = "transfers.requested"


class FakeRequests:
    """A topic of one partition."""

    def __init__(self) -> None:
        self.topic = TOPIC
        self.records: list[tuple[bytes, bytes]] = []
        self.is_away = False
        self.then: Callable[[bytes, Position], None] = lambda _value, _position: None

    async def publish(self, key: bytes, value: bytes) -> Position:
        if self.is_away:
            raise BrokerAwayError("away")
        self.records.append((key, value))
        position = Position(0, len(self.records) - 1)
        self.then(value, position)
        return position

    async def publish_all(self, records: Sequence[tuple[bytes, bytes]]) -> list[Position | None]:
        if self.is_away:
            return [None] * len(records)
        return [await self.publish(key, value) for key, value in records]


class FakeWallets(Wallets):
    """Counts what would be a statement in the database."""

    def __init__(self) -> None:
        self.owners: dict[str, Owner] = {}
        self.worlds: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.statements = 0
        self.is_away = False

    async def owner_of(self, wallet_id: str) -> Owner | None:
        self._count()
        return self.owners.get(wallet_id)

    async def owners_of(self, wallet_ids: Sequence[str]) -> dict[str, Owner]:
        self._count()
        return {wallet_id: self.owners[wallet_id] for wallet_id in wallet_ids if wallet_id in self.owners}

    async def of_user(self, user_id: str) -> list[WalletRow]:
        self._count()
        return [_wallet_row(wallet_id, user_id) for wallet_id, owner in self.owners.items() if owner.user_id == user_id]

    async def version_of(self, wallet_id: str) -> int:
        self._count()
        return self.versions.get(wallet_id, 0)

    async def world(self, currency: str) -> str:
        self._count()
        return self.worlds.setdefault(currency, str(uuid4()))

    def _count(self) -> None:
        if self.is_away:
            raise DatabaseAwayError("away")
        self.statements += 1


def _wallet_row(wallet_id: str, user_id: str) -> WalletRow:
    now = datetime.now(UTC)
    return WalletRow(
        wallet_id=wallet_id,
        user_id=user_id,
        kind="user",
        currency="USD",
        balance="0.0000",
        held="0.0000",
        transfer_max=None,
        day_max=None,
        version=0,
        status="active",
        created_at=now,
        updated_at=now,
    )


class FakeTransfers(Transfers):
    def __init__(self) -> None:
        self.rows: dict[str, TransferRow] = {}
        self.requests: dict[str, StoredRequest] = {}
        self.next_offset: int | None = None
        self.is_away = False
        self.asked: list[Sequence[str]] = []

    async def stored(self, transfer_ids: Sequence[str]) -> dict[str, StoredRequest]:
        self.asked.append(transfer_ids)
        if self.is_away:
            raise DatabaseAwayError("away")
        return {each: self.requests[each] for each in transfer_ids if each in self.requests}

    async def find(self, transfer_id: str, partition: int | None) -> Found:
        if self.is_away:
            raise DatabaseAwayError("away")
        return Found(self.rows.get(transfer_id), None if partition is None else self.next_offset)


class FakeFollowing:
    """Outcomes are told by whoever has the waits and the feed."""

    def __init__(self) -> None:
        self.is_away = False

    async def follow(self, timeout_s: float) -> bool:
        return not self.is_away


class FakeHolds(Holds):
    """What may be drawn on, by id."""

    def __init__(self) -> None:
        self.rows: dict[str, DrawableRow] = {}
        self.tried: dict[str, list[DrawRow]] = {}

    async def find(self, transfer_id: str) -> DrawableRow | None:
        return self.rows.get(transfer_id)

    async def draws(self, transfer_id: str, count_max: int) -> list[DrawRow]:
        return self.tried.get(transfer_id, [])[:count_max]

    async def of_wallet(
        self, hold_wallet_id: str, *, first_version: int, before_version: int, count_max: int, only_open: bool
    ) -> list[DrawableRow]:
        return [
            row
            for row in self.rows.values()
            if row.destination_wallet_id == hold_wallet_id
            and first_version <= (row.destination_version or 0) < before_version
            and (row.remaining != "0.0000" or not only_open)
        ][:count_max]

    async def by_reference(self, wallet_id: str, reference: str) -> list[str]:
        named = (wallet_id, reference)
        return [key for key, row in self.rows.items() if (row.destination_wallet_id, row.reference) == named][:2]
