"""The API as a process of its own."""

import asyncio
import signal
import socket

import httpx2
import pytest
from api_calls import PASSWORD, wait_readiness
from api_processes import start_api

from ops.embedded.ports import free_port
from schemas.settings import Settings


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_until_it_is_told_to_stop(settings: Settings, number: signal.Signals) -> None:
    port = free_port(())
    process = await start_api(settings, port)
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            await wait_readiness(client)
            created = await client.post("/v1/users", json={"email": "ada@example.com", "password": PASSWORD})
            assert created.status_code == 201
            process.send_signal(number)
        stdout, stderr = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert (process.returncode, stdout) == (0, b"")
    assert b"api.listening" in stderr
    assert b"Traceback" not in stderr
    assert PASSWORD.encode() not in stderr


async def test_a_taken_port_is_one_clear_line(settings: Settings) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        process = await start_api(settings, port)
        _, stderr = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert stderr.decode().splitlines() == [
        f"The API cannot listen on 127.0.0.1:{port}: Address already in use. Stop what uses it, or set API_PORT."
    ]
