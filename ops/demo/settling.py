"""Waits until every group has worked off its topic."""

import asyncio
import time
from collections.abc import Callable

from ops.lag.reader import lag_reader
from ops.load.wallets import StalledError
from schemas.settings import Settings

SETTLE_S_MAX = 300.0
POLL_INTERVAL_S = 0.5


async def wait_settled(settings: Settings, tell: Callable[[dict[str, int]], None]) -> None:
    """Wait until the lag of all groups is 0; ``tell`` is given each group's lag meanwhile.

    Raises StalledError after five minutes.
    """
    end_s = time.monotonic() + SETTLE_S_MAX
    async with lag_reader(settings) as reader:
        while True:  # ends at lag 0, or after five minutes
            report = await reader.read()
            tell(report.totals)
            if report.total == 0:
                return
            if time.monotonic() > end_s:
                waiting = ", ".join(f"{group} by {lag:,}" for group, lag in report.totals.items() if lag)
                raise StalledError(f"after {SETTLE_S_MAX:.0f} s these groups are still behind: {waiting}")
            await asyncio.sleep(POLL_INTERVAL_S)
