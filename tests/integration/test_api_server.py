"""The API as a process of its own."""

import asyncio
import json
import signal
import socket

import httpx2
import pytest
from api_calls import PASSWORD, log_in, wait_readiness
from api_processes import start_api
from raw_http import answer_of

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
    assert all({"event", "level", "logger", "timestamp"} <= json.loads(line).keys() for line in stderr.splitlines())
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


async def test_before_it_stops_it_says_so_and_what_has_begun_is_finished(settings: Settings) -> None:
    port = free_port(())
    process = await start_api(settings.model_copy(update={"api_shutdown_delay_s": 300}), port)
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            await wait_readiness(client)
            account = {"email": "ada@example.com", "password": PASSWORD}
            assert (await client.post("/v1/users", json=account)).status_code == 201
            headers = await log_in(client, account["email"])
            wallets = [
                (await client.post("/v1/wallets", json={"currency": currency}, headers=headers)).json()["wallet_id"]
                for currency in ("USD", "EUR")
            ]
            head_reader, head_writer = await asyncio.open_connection("127.0.0.1", port)
            head_writer.write(b"GET /healthz HTTP/1.1\r\nHost:")
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            line = payment_line(*wallets)
            writer.write(
                b"POST /v1/transfers/batch HTTP/1.1\r\nHost: api\r\nContent-Type: application/x-ndjson\r\n"
                b"Authorization: " + headers["Authorization"].encode() + b"\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n" + line
            )
            await reader.readuntil(b'"PENDING"')

            process.send_signal(signal.SIGTERM)
            await wait_readiness(client, 503)
            assert (await client.get("/readyz")).json()["code"] == "shutting_down"
            served = await client.get("/v1/me", headers=headers)
            assert (served.status_code, served.headers["connection"]) == (200, "close")

            process.send_signal(signal.SIGTERM)  # the second one is not waited with
            await wait_readiness(client, 0)
        head_writer.write(b" api\r\n\r\n")
        assert (await answer_of(head_reader))[:1] == (200,)
        writer.write(line + b"0\r\n\r\n")
        assert b'"line":2,' in await reader.readuntil(b"\r\n0\r\n\r\n")
        assert (await head_reader.read(), await reader.read()) == (b"", b"")
        for each in (head_writer, writer):
            each.close()
        _, stderr = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in stderr


def payment_line(source: str, destination: str) -> bytes:
    """A line of a batch, as a chunk."""
    body = {"source_wallet_id": source, "destination_wallet_id": destination, "amount": "1", "currency": "USD"}
    line = json.dumps(body).encode() + b"\n"
    return b"%x\r\n%s\r\n" % (len(line), line)
