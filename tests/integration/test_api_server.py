import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx2
import pytest

from schemas.settings import Settings
from tests.integration.conftest import PASSWORD

ROOT = Path(__file__).parents[2]
PROGRAM = "from ingest_api.server import run; from schemas.settings import Settings; run(Settings())"
SECRETS = {"postgres_password", "secret_key", "kafka_sasl_password", "smtp_url"}


def environment(settings: Settings, port: int) -> dict[str, str]:
    values = settings.model_dump(exclude_none=True, exclude=SECRETS) | {
        "postgres_password": settings.postgres_password.get_secret_value(),
        "secret_key": settings.secret_key.get_secret_value(),
        "api_host": "127.0.0.1",
        "api_port": port,
    }
    return {**os.environ, **{name.upper(): str(value) for name, value in values.items()}}


async def start(
    settings: Settings, port: int = 0, environ: Mapping[str, str] | None = None
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        env=environ or environment(settings, port),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_until_it_is_told_to_stop(settings: Settings, number: signal.Signals) -> None:
    port = free_port()
    process = await start(settings, port)
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            async with asyncio.timeout(60):
                while await status(client) != 200:  # noqa: ASYNC110 (another process)
                    await asyncio.sleep(0.05)
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


async def status(client: httpx2.AsyncClient) -> int:
    try:
        return (await client.get("/readyz")).status_code
    except httpx2.TransportError:
        return 0


async def test_a_taken_port_is_one_clear_line(settings: Settings) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        process = await start(settings, port)
        _, stderr = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert stderr.decode().splitlines() == [
        f"The API cannot listen on 127.0.0.1:{port}: Address already in use. Stop what uses it, or set API_PORT."
    ]
