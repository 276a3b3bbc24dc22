"""The part of the demo that comes in over HTTP: accounts, wallets, deposits, transfers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from uuid import uuid4

import httpx2

from hfts_client import AsyncClient, HftsError
from hfts_client.orders import TransferFields
from ops.demo.tally import COMPLETED, Tally
from ops.load.access import ApiAccess
from ops.load.http_sender import HttpError, in_parallel
from ops.load.open_loop import load_http
from ops.load.outcomes import outcome_watcher
from ops.load.report import LoadReport
from schemas.codes import FailureReason
from schemas.money import UNITS_PER_ONE, format_units
from schemas.settings import Settings

USERS = 24
RICH = 20
FOREIGN = 4
TRANSFERS = 300
RATE = 50.0
DEPOSIT_UNITS = 1_000 * UNITS_PER_ONE
DEPOSIT_WAIT_S = 60.0
RETRIED = 5


@dataclass(frozen=True, slots=True)
class User:
    """An account and its wallet in dollars."""

    client: AsyncClient
    wallet: str


class HttpPart:
    """Sends over HTTP and counts what must become of it."""

    def __init__(self, settings: Settings, access: ApiAccess, http: httpx2.AsyncClient, random: Random) -> None:
        self._settings = settings
        self._url = access.api_url
        self._http = http
        password = access.admin_password.get_secret_value()
        self._admin = self._client(email=access.admin_email, password=password)
        self._random = random
        self._users: list[User] = []
        self._foreign: list[str] = []
        self.tally = Tally()

    async def open_accounts(self, progress: Callable[[int, int], None]) -> None:
        """Register and log in every user, and open their wallets."""
        done = 0

        async def open_one(number: int) -> User:
            nonlocal done
            email, password = f"user-{number}@example.com", uuid4().hex
            await self._client().users.register(email, password)
            client = self._client(email=email, password=password)
            user = User(client, str((await client.wallets.create("USD")).wallet_id))
            done += 1
            progress(done, USERS)
            return user

        self._users = await in_parallel([partial(open_one, number) for number in range(USERS)])
        foreign = await in_parallel([partial(user.client.wallets.create, "EUR") for user in self._users[:FOREIGN]])
        self._foreign = [str(wallet.wallet_id) for wallet in foreign]

    async def deposit(self) -> int:
        """Pay money into all but the last few wallets, and wait until it is there. Raises OutcomePendingError."""
        wallets = [user.wallet for user in self._users[:RICH]]
        deposit = partial(
            self._admin.deposits.create, amount=format_units(DEPOSIT_UNITS), currency="USD", wait=DEPOSIT_WAIT_S
        )
        await in_parallel([partial(deposit, wallet_id=wallet) for wallet in wallets])
        for _ in wallets:
            self.tally.deposit(DEPOSIT_UNITS, "USD")
        return len(wallets)

    async def send(self) -> LoadReport:
        """Send the transfers at a steady rate."""
        plan = self._plan()
        for _, _, result in plan:
            self.tally.transfer(result)

        def make(index: int) -> tuple[str, Callable[[], Awaitable[object]]]:
            sender, fields, _ = plan[index]
            return str(fields["transfer_id"]), partial(_send, sender, fields)

        report = LoadReport("http", RATE, len(plan) / RATE, len(self._users))
        async with outcome_watcher(self._settings) as watcher:
            return await load_http(report, watcher, make)

    async def retry(self) -> bool:
        """Send a few transfers twice under one Idempotency-Key each; whether both answers named one transfer."""
        same = True
        for number in range(RETRIED):
            sender, receiver = self._random.sample(self._users[:RICH], 2)
            fields: TransferFields = {
                "source_wallet_id": sender.wallet,
                "destination_wallet_id": receiver.wallet,
                "amount": 1,
                "currency": "USD",
                "idempotency_key": f"retry-{number}",
            }
            first, again = [await sender.client.transfers.create(**fields) for _ in range(2)]
            same = same and first.transfer_id == again.transfer_id
            self.tally.transfer()
        return same

    def _plan(self) -> list[tuple[AsyncClient, TransferFields, str]]:
        rich, poor, choice = self._users[:RICH], self._users[RICH:], self._random.choice
        kinds: list[tuple[str, int, Callable[[], tuple[User, str]]]] = [
            (FailureReason.INSUFFICIENT_FUNDS, 20, lambda: (choice(poor), choice(rich).wallet)),
            (FailureReason.CURRENCY_MISMATCH, 10, lambda: (choice(rich), choice(self._foreign))),
            (FailureReason.WALLET_NOT_FOUND, 10, lambda: (choice(rich), str(uuid4()))),
        ]
        kinds.append((COMPLETED, TRANSFERS - sum(count for _, count, _ in kinds), self._pair))
        plan: list[tuple[AsyncClient, TransferFields, str]] = []
        for result, count, pick in kinds:
            for _ in range(count):
                sender, destination = pick()
                amount = format_units(1 + int(self._random.random() * 10 * UNITS_PER_ONE))
                fields: TransferFields = {
                    "transfer_id": uuid4(),
                    "source_wallet_id": sender.wallet,
                    "destination_wallet_id": destination,
                    "amount": amount,
                    "currency": "USD",
                }
                plan.append((sender.client, fields, result))
        self._random.shuffle(plan)
        return plan

    def _client(self, email: str | None = None, password: str | None = None) -> AsyncClient:
        return AsyncClient(self._url, email=email, password=password, http_client=self._http)

    def _pair(self) -> tuple[User, str]:
        sender, receiver = self._random.sample(self._users[:RICH], 2)
        return sender, receiver.wallet


async def _send(sender: AsyncClient, fields: TransferFields) -> None:
    """Raises HttpError, for the loop to count."""
    try:
        await sender.transfers.create(**fields)
    except HftsError as error:
        raise HttpError(str(error)) from error
