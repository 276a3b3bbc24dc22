"""Waits until every group has worked off its topic."""

import asyncio
import contextlib
import time
from collections.abc import Callable

from ops.lag.reader import lag_reader
from ops.load.wallets import StalledError
from schemas.settings import Settings

SETTLE_S_MAX = 300.0
CALM_S_MAX = 15.0
POLL_INTERVAL_S = 0.25


async def calm_down(settings: Settings) -> None:
    """Give the groups a few seconds to work off what a set-up left them, so that it does not disturb a measurement.

    Some of them may be stopped, so this does not insist.
    """
    with contextlib.suppress(StalledError):
        await wait_settled(settings, timeout_s=CALM_S_MAX)


async def wait_settled(
    settings: Settings, tell: Callable[[dict[str, int]], None] = lambda _lags: None, timeout_s: float = SETTLE_S_MAX
) -> None:
    """Wait until the lag of all groups is 0; ``tell`` is given each group's lag meanwhile.

    Raises StalledError when the time is up.
    """
    end_s = time.monotonic() + timeout_s
    async with lag_reader(settings) as reader:
        while True:  # ends at lag 0, or when the time is up
            report = await reader.read()
            tell(report.totals)
            if report.total == 0:
                return
            if time.monotonic() > end_s:
                waiting = ", ".join(f"{group} by {lag:,}" for group, lag in report.totals.items() if lag)
                raise StalledError(f"after {timeout_s:.0f} s these groups are still behind: {waiting}")
            await asyncio.sleep(POLL_INTERVAL_S)
