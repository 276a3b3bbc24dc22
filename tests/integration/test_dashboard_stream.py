"""The stream of events from the API as a process."""

import asyncio

import httpx2
import orjson
from api_calls import PASSWORD, log_in, wait_readiness
from api_processes import start_api

from ops.admin import ensure_admin
from ops.embedded.ports import free_port
from schemas.settings import Settings

EMAIL = "ops@example.com"


async def test_a_server_that_leaves_ends_its_streams_and_waits_for_none(settings: Settings) -> None:
    await ensure_admin(settings, EMAIL, PASSWORD, "ops")
    port = free_port(())
    api = await start_api(settings, port, with_dashboard=True)
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            await wait_readiness(client)
            async with client.stream("GET", "/ops/events", headers=await log_in(client, EMAIL)) as answer:
                assert answer.status_code == 200
                assert answer.headers["cache-control"] == "no-store"
                lines = answer.aiter_lines()
                assert await anext(lines) == "event: start"
                event = orjson.loads((await anext(lines)).removeprefix("data: "))
                assert event["history"].keys() == {"at", "groups"}
                api.terminate()
                async for _ in lines:
                    pass  # to its end, which is in order: else this would raise
    finally:
        if api.returncode is None:
            api.terminate()
        _, log = await asyncio.wait_for(api.communicate(), 60)
    assert api.returncode == 0, log.decode()
    assert b"Cancel" not in log
    assert b"Traceback" not in log
