"""One FastAPI route with our body and our check of the token, and nothing behind it: no Kafka, no envelope."""

from itertools import islice
from uuid import uuid4

import msgspec
import orjson
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import Response
from uuid_utils import uuid7

from bench.children import module, our_path
from bench.contest import Measured, Place
from bench.http_client import Driven, drive
from bench.ours.processes import environment_of
from bench.ours.requests import AMOUNT
from bench.serving import running, wait_listening
from bench.usage import cpu_s
from bench.wallets import CURRENCY, wallet_id
from bench.workloads import Workload
from ingest_api.connection import connection_class
from ingest_api.server import BACKLOG, KEEP_ALIVE_S
from ingest_api.tokens import AccessTokens, TokenError
from ops.embedded.ports import HOST, free_port
from schemas.http import NewTransfer
from schemas.settings import Settings

PATH = "/v1/transfers"
CONNECTIONS = (16, 64)
"""Each is tried, and the best counts."""

RUN_S = 5.0
BODIES_MAX = 20_000
"""Sent in turn, again and again."""

WARM_UP_REQUESTS = 200


async def bare_fastapi(
    place: Place, workload: Workload, *, run_s: float = RUN_S, connections: tuple[int, ...] = CONNECTIONS
) -> Measured:
    """Requests accepted, ``run_s`` with each number of connections. Raises RuntimeError when one is refused."""
    port, settings = free_port(()), place.settings
    token = AccessTokens(settings.secret_key.get_secret_value(), settings.access_token_ttl_s)
    headers = {"Authorization": f"Bearer {token.issue(str(uuid4()), 'user')}", "Content-Type": "application/json"}
    url, bodies = f"http://{HOST}:{port}{PATH}", bodies_of(workload)
    environment = {**our_path(), **environment_of(settings), "API_PORT": str(port)}
    runs: list[tuple[Driven, dict[str, float]]] = []
    async with running(place, "bare-fastapi", module("bench.limits.bare_fastapi"), environment) as server:
        await wait_listening(server, port)
        await drive(url, bodies, headers, connections=8, seconds=run_s, count=WARM_UP_REQUESTS)
        for number in connections:
            used_s = cpu_s(server.pid)
            driven = await drive(url, bodies, headers, connections=number, seconds=run_s)
            if driven.refused or not driven.accepted:
                raise RuntimeError(f"{driven.refused:,} requests were refused, {driven.accepted:,} accepted")
            used_us = 1e6 * (cpu_s(server.pid) - used_s) / driven.accepted
            runs.append((driven, {"connections": float(number), "server_cpu_us": used_us, "p50_ms": driven.p50_ms}))
    best, further = max(runs, key=lambda run: run[0].rate)
    return Measured("limit: a bare FastAPI route", workload.name, best.accepted, best.seconds, further)


def bodies_of(workload: Workload) -> list[bytes]:
    """Requests of the workload as JSON bodies, without ids: each answer brings a new one."""
    return [
        msgspec.json.encode(
            {
                "source_wallet_id": wallet_id(source),
                "destination_wallet_id": wallet_id(destination),
                "amount": AMOUNT,
                "currency": CURRENCY,
            }
        )
        for source, destination, _ in islice(workload.pairs(), BODIES_MAX)
    ]


def create_app(settings: Settings) -> FastAPI:
    """The app with its one route."""
    tokens = AccessTokens(settings.secret_key.get_secret_value(), settings.access_token_ttl_s)
    app = FastAPI()

    @app.post(PATH, status_code=202)
    async def submit(request: Request, body: NewTransfer) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            tokens.check(token if scheme.lower() == "bearer" else "")
        except TokenError:
            raise HTTPException(401) from None
        transfer_id = body.transfer_id or str(uuid7())
        content = orjson.dumps({"transfer_id": transfer_id, "status": "PENDING"})
        return Response(content, 202, media_type="application/json", headers={"Location": f"{PATH}/{transfer_id}"})

    return app


def main() -> None:
    """Serve on API_PORT as `hfts api` does, until SIGTERM."""
    settings = Settings()
    config = uvicorn.Config(
        create_app(settings),
        host=settings.api_host,
        port=settings.api_port,
        loop="uvloop",
        http=connection_class(),
        ws="none",
        backlog=BACKLOG,
        access_log=False,
        server_header=False,
        log_level="warning",
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
