"""The client to be awaited."""

from types import TracebackType
from typing import Self, Unpack, overload

import httpx2

from hfts_client.api import Api
from hfts_client.awaiting import AwaitingRunner, Resource, iterating, returning
from hfts_client.credentials import Login
from hfts_client.models import Receipt, Transfer
from hfts_client.operations import accounts, batches, events, histories, holds, notifications, submitting, wallets
from hfts_client.orders import DepositFields, TransferFields
from hfts_client.retries import RetryPolicy
from hfts_client.wire import TIMEOUT_S, checked_base_url, credentials_of


class Users(Resource):
    """Accounts."""

    register = returning(accounts.register)
    me = returning(accounts.me)
    create_service = returning(accounts.create_service)
    create_api_key = returning(accounts.create_api_key)
    list_api_keys = returning(accounts.list_api_keys)
    revoke_api_key = returning(accounts.revoke_api_key)


class Wallets(Resource):
    """Wallets and their entries."""

    create = returning(wallets.create)
    retrieve = returning(wallets.retrieve)
    list = returning(wallets.list_all)
    entries = iterating(wallets.entries)
    balance = returning(wallets.balance)
    statement = returning(wallets.statement)
    pending = returning(wallets.pending)
    freeze = returning(wallets.freeze)
    unfreeze = returning(wallets.unfreeze)
    close = returning(wallets.close)
    reopen = returning(wallets.reopen)
    set_limits = returning(wallets.set_limits)


class Transfers(Resource):
    """Transfers."""

    retrieve = returning(submitting.retrieve)
    wait = returning(submitting.wait)
    list = iterating(histories.list_all)
    dry_run = returning(submitting.dry_run)
    reverse = returning(holds.reverse)
    reverse_by_reference = returning(holds.reverse_by_reference)
    batch = iterating(batches.batch_of_any)
    events = iterating(events.events)

    @overload
    async def create(self, *, wait: None = None, **fields: Unpack[TransferFields]) -> Receipt: ...
    @overload
    async def create(self, *, wait: float, **fields: Unpack[TransferFields]) -> Transfer: ...
    async def create(self, *, wait: float | None = None, **fields: Unpack[TransferFields]) -> Receipt | Transfer:
        """Move money: a receipt once the brokers have the request; with ``wait``, the outcome within so many seconds.

        It is sent again under one key until there is an answer. Raises OutcomePendingError when the time is over.
        """
        return await self.runner.run(submitting.create(self.api, wait, fields))


class Holds(Resource):
    """Money set aside."""

    create = returning(holds.create)
    capture = returning(holds.capture)
    void = returning(holds.void)
    retrieve = returning(holds.retrieve)
    list = iterating(holds.list_all)


class Notifications(Resource):
    """How one is told of transfers, and what was told."""

    preferences = returning(notifications.preferences)
    set_preferences = returning(notifications.set_preferences)
    deliveries = iterating(notifications.deliveries)


class Webhook(Resource):
    """The one webhook of an account."""

    retrieve = returning(notifications.retrieve_webhook)
    set = returning(notifications.set_webhook)
    delete = returning(notifications.delete_webhook)
    rotate_secret = returning(notifications.rotate_webhook_secret)


class Deposits(Resource):
    """Money coming in (admins only)."""

    @overload
    async def create(self, *, wait: None = None, **fields: Unpack[DepositFields]) -> Receipt: ...
    @overload
    async def create(self, *, wait: float, **fields: Unpack[DepositFields]) -> Transfer: ...
    async def create(self, *, wait: float | None = None, **fields: Unpack[DepositFields]) -> Receipt | Transfer:
        """Bring money in: otherwise as a transfer."""
        return await self.runner.run(submitting.deposit(self.api, wait, **fields))


class AsyncClient:
    """The API at ``base_url``, asked by an account, by the holder of a ``token`` (or API key), or by nobody.

    ``timeout_s`` bounds each step of a try, ``retry`` all tries. ``http_client`` brings connections of your own, for
    proxies and certificates; it is not closed here. May be used by several tasks. Raises ValueError.
    """

    def __init__(
        self,
        base_url: str,
        *,
        email: str | None = None,
        password: str | None = None,
        token: str | None = None,
        timeout_s: float = TIMEOUT_S,
        retry: RetryPolicy | None = None,
        http_client: httpx2.AsyncClient | None = None,
    ) -> None:
        self._base_url = checked_base_url(base_url)
        retry = retry or RetryPolicy()
        self._credentials = credentials_of(email, password, token, retry)
        self._http = http_client or httpx2.AsyncClient()
        self._is_own = http_client is None
        self._runner = AwaitingRunner(self._http, self._base_url, timeout_s)
        api = Api(self._credentials, retry)
        self.users = Users(self._runner, api)
        self.wallets = Wallets(self._runner, api)
        self.transfers = Transfers(self._runner, api)
        self.holds = Holds(self._runner, api)
        self.deposits = Deposits(self._runner, api)
        self.notifications = Notifications(self._runner, api)
        self.webhook = Webhook(self._runner, api)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._base_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def log_out(self) -> None:
        """End the login, if there is one; the next request logs in again."""
        if isinstance(self._credentials, Login):
            await self._runner.run(self._credentials.log_out())

    async def close(self) -> None:
        """Close the connections."""
        if self._is_own:
            await self._http.aclose()
