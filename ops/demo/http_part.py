"""The part of the demo that comes in over HTTP: accounts, wallets, deposits, transfers."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from uuid import uuid4

from ops.demo.tally import COMPLETED, Tally
from ops.load.deposits import deposit_all
from ops.load.http_sender import Api, Login, Submission, in_parallel
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
RETRIED = 5


@dataclass(frozen=True, slots=True)
class User:
    """An account and its wallet in dollars."""

    login: Login
    wallet: str


class HttpPart:
    """Sends over HTTP and counts what must become of it."""

    def __init__(self, settings: Settings, api: Api, random: Random) -> None:
        self._settings = settings
        self._api = api
        self._random = random
        self._users: list[User] = []
        self._foreign: list[str] = []
        self.tally = Tally()

    async def open_accounts(self, progress: Callable[[int, int], None]) -> None:
        """Register and log in every user, and open their wallets."""
        done = 0

        async def open_one(number: int) -> User:
            nonlocal done
            login = Login(f"user-{number}@example.com", uuid4().hex)
            await self._api.register(login.email, login.password)
            await self._api.log_in(login)
            user = User(login, await self._api.open_wallet(login, "USD"))
            done += 1
            progress(done, USERS)
            return user

        self._users = await in_parallel([partial(open_one, number) for number in range(USERS)])
        self._foreign = await in_parallel(
            [partial(self._api.open_wallet, user.login, "EUR") for user in self._users[:FOREIGN]]
        )

    async def deposit(self) -> int:
        """Pay money into all but the last few wallets, and wait until it is there."""
        wallets = [user.wallet for user in self._users[:RICH]]
        await deposit_all(self._api, wallets, format_units(DEPOSIT_UNITS), "USD")
        for _ in wallets:
            self.tally.deposit(DEPOSIT_UNITS, "USD")
        return len(wallets)

    async def send(self) -> LoadReport:
        """Send the transfers at a steady rate."""
        plan = self._plan()
        for _, _, result in plan:
            self.tally.transfer(result)
        report = LoadReport("http", RATE, len(plan) / RATE, len(self._users))
        async with outcome_watcher(self._settings) as watcher:
            return await load_http(report, watcher, self._api, lambda index: plan[index][:2])

    async def retry(self) -> bool:
        """Send a few transfers twice under one Idempotency-Key each; whether both answers named one transfer."""
        same = True
        for number in range(RETRIED):
            sender, receiver = self._random.sample(self._users[:RICH], 2)
            submission = Submission(None, sender.wallet, receiver.wallet, "1.0000", "USD")
            first = await self._api.submit(sender.login, submission, f"retry-{number}")
            again = await self._api.submit(sender.login, submission, f"retry-{number}")
            same = same and first == again
            self.tally.transfer()
        return same

    def _plan(self) -> list[tuple[Login, Submission, str]]:
        rich, poor, choice = self._users[:RICH], self._users[RICH:], self._random.choice
        kinds: list[tuple[str, int, Callable[[], tuple[User, str]]]] = [
            (FailureReason.INSUFFICIENT_FUNDS, 20, lambda: (choice(poor), choice(rich).wallet)),
            (FailureReason.CURRENCY_MISMATCH, 10, lambda: (choice(rich), choice(self._foreign))),
            (FailureReason.WALLET_NOT_FOUND, 10, lambda: (choice(rich), str(uuid4()))),
        ]
        kinds.append((COMPLETED, TRANSFERS - sum(count for _, count, _ in kinds), self._pair))
        plan = []
        for result, count, pick in kinds:
            for _ in range(count):
                sender, destination = pick()
                amount = format_units(1 + int(self._random.random() * 10 * UNITS_PER_ONE))
                plan.append((sender.login, Submission(str(uuid4()), sender.wallet, destination, amount, "USD"), result))
        self._random.shuffle(plan)
        return plan

    def _pair(self) -> tuple[User, str]:
        sender, receiver = self._random.sample(self._users[:RICH], 2)
        return sender, receiver.wallet
