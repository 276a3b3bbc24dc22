"""The running API against its own OpenAPI document: schemathesis, with all of its checks."""

import asyncio
import os
import re
import sys

import asyncpg
import httpx2
import pytest
from api_calls import PASSWORD, wait_readiness
from api_processes import ROOT, start_api

from ops.embedded.ports import free_port
from schemas.settings import Settings

CONFIGURATION = "tests/integration/schemathesis.toml"
ADMIN = "root@example.com"


@pytest.mark.timeout(500)
async def test_the_api_keeps_to_its_document(settings: Settings, connection: asyncpg.Connection) -> None:
    port = free_port(())
    api = await start_api(settings, port, with_dashboard=True)
    try:
        wallet_id = await prepare(f"http://127.0.0.1:{port}", connection)
        code, told = await schemathesis(f"http://127.0.0.1:{port}/openapi.json", wallet_id)
    finally:
        if api.returncode is None:
            api.terminate()
        _, log = await asyncio.wait_for(api.communicate(), 60)
    assert code == 0, told
    assert not re.search(r"\b0 selected", told)
    assert b"Traceback" not in log, log.decode()


async def prepare(url: str, connection: asyncpg.Connection) -> str:
    """An admin, and a wallet to move money into and out of; its id."""
    async with httpx2.AsyncClient(base_url=url, timeout=30) as client:
        await wait_readiness(client)
        created = await client.post("/v1/users", json={"email": ADMIN, "password": PASSWORD})
        assert created.status_code == 201, created.text
        await connection.execute("update users set role = 'admin' where email = $1", ADMIN)
        insert = "insert into wallets (user_id, currency) values ($1, 'EUR') returning wallet_id::text"
        return str(await connection.fetchval(insert, created.json()["user_id"]))


async def schemathesis(address: str, wallet_id: str) -> tuple[int | None, str]:
    """Its exit code, and what it told."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIGURATION, "run", "--no-color", address),
        cwd=ROOT,
        env={**os.environ, "ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD, "WALLET_ID": wallet_id},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await asyncio.wait_for(process.communicate(), 400)
    return process.returncode, told.decode()
