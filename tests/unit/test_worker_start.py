"""A worker before it has anything to do."""

import asyncio
import os
import signal

import pytest

from schemas.settings import Settings
from streams import worker


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_worker_that_waits_for_its_servers_ends_when_told_to(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    async def wait_for_servers(_: Settings, **_ledger: bool) -> None:
        os.kill(os.getpid(), number)
        await asyncio.Event().wait()

    monkeypatch.setattr(worker, "wait_for_servers", wait_for_servers)
    try:
        assert await worker._servers_come(Settings.model_construct(), ledger=True) is False
    finally:
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().remove_signal_handler(each)
