"""Deposits over HTTP, waited for."""

import asyncio
from collections.abc import Sequence
from functools import partial

from ops.load.http_sender import Api, in_parallel
from ops.load.wallets import POLL_INTERVAL_S, STALLED_S_MAX, StalledError


async def deposit_all(api: Api, wallets: Sequence[str], amount: str, currency: str) -> None:
    """Deposit the amount in each wallet and wait until all have it. Raises StalledError after a minute."""
    ids = await in_parallel([partial(api.deposit, wallet, amount, currency) for wallet in wallets])
    loop = asyncio.get_running_loop()
    end_s = loop.time() + STALLED_S_MAX
    pending = ids
    while pending:
        found = await in_parallel([partial(api.transfer, api.admin, transfer_id) for transfer_id in pending])
        pending = [one["transfer_id"] for one in found if one["status"] == "PENDING"]
        if pending and loop.time() > end_s:
            raise StalledError(f"{len(pending)} deposits are still pending. Is a worker running?")
        if pending:
            await asyncio.sleep(POLL_INTERVAL_S)
