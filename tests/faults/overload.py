"""Overload of a running API: far more connections than it serves at once, with and without its brokers.

    python -m tests.faults.overload [--connections 3000] [--duration 20]

Starts a stack of its own, in a temporary folder. Prints for each phase how many answers had which status, and the API's
resident memory before, at its peak and after. Exits 1 when an answer that turns a request away has no
Retry-After, when anything else than an acceptance or such an answer comes, when memory grows beyond the bound, or when
the API does not accept again afterwards.
"""

import argparse
import asyncio
import collections
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast

import httpx2
import psutil
import uvloop

HFTS = Path(sys.executable).with_name("hfts")
CALLERS = 8
GROWTH_MB_MAX = 200
"""2,000 requests in progress and 3,000 connections, each with its buffers, and some for what Python keeps."""

PASSWORD = "a passphrase of the overload run"


@dataclass
class Tally:
    """What came back."""

    answers: collections.Counter[int] = field(default_factory=collections.Counter)
    without_retry_after: int = 0
    broken: int = 0
    duration_s: float = 0.0

    def count(self, head: bytes) -> None:
        status = int(head[9:12])
        self.answers[status] += 1
        if status in (429, 503) and b"retry-after: " not in head.lower():
            self.without_retry_after += 1


class Flooder(asyncio.Protocol):
    """One connection that sends the next request as soon as the last is answered, whatever the answer."""

    def __init__(self, tally: Tally, request: bytes) -> None:
        self._tally = tally
        self._request = request
        self._received = b""
        self.is_stopping = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        if len(rest) < length:
            return
        self._tally.count(head)
        self._received = rest[length:]
        if not self.is_stopping and self.transport is not None:
            self.transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.is_stopping:
            self._tally.broken += 1


@dataclass(frozen=True, slots=True)
class Target:
    """The API, and the processes to watch and to stop."""

    url: str
    api: psutil.Process
    broker: psutil.Process
    requests: list[bytes]  # one for each caller

    def rss_mb(self) -> int:
        return int(self.api.memory_info().rss) // 2**20


async def flood(target: Target, requests: list[bytes], connections: int, duration_s: float) -> tuple[Tally, int]:
    """The answers within the duration, which begins when all are connected, and the peak of memory in MB."""
    tally = Tally()
    host, port = target.url.removeprefix("http://").split(":")
    loop = asyncio.get_running_loop()
    flooders = [Flooder(tally, requests[number % len(requests)]) for number in range(connections)]
    peak_mb = target.rss_mb()
    for first in range(0, connections, 100):
        some = flooders[first : first + 100]
        await asyncio.gather(*(loop.create_connection(partial(same, each), host, int(port)) for each in some))
        peak_mb = max(peak_mb, target.rss_mb())
    started_s, tally.answers = time.monotonic(), collections.Counter()
    while time.monotonic() < started_s + duration_s:
        await asyncio.sleep(0.1)
        peak_mb = max(peak_mb, target.rss_mb())
    tally.duration_s = time.monotonic() - started_s
    for flooder in flooders:
        flooder.is_stopping = True
        if flooder.transport is not None:
            flooder.transport.abort()
    return tally, peak_mb


def same(flooder: Flooder) -> Flooder:
    return flooder


async def run_phase(name: str, target: Target, requests: list[bytes], options: argparse.Namespace) -> bool:
    """Flood, print a row, and tell whether all was as it should be."""
    before_mb = target.rss_mb()
    tally, peak_mb = await flood(target, requests, options.connections, options.duration)
    recovered_s = await accepted_again(target)
    total = sum(tally.answers.values())
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(tally.answers.items()))
    print(  # noqa: T201 (its report)
        f"{name:<28} {total / tally.duration_s:7.0f} answers/s  {statuses}\n"
        f"{'':<28} memory {before_mb} MB before, {peak_mb} MB at its peak, {target.rss_mb()} MB after;"
        f" accepted again after {recovered_s:.1f} s; {tally.broken} connections broken,"
        f" {tally.without_retry_after} refusals without Retry-After",
        flush=True,
    )
    is_known = total > 0 and set(tally.answers) <= {202, 429, 503}
    return is_known and not tally.without_retry_after and not tally.broken and peak_mb - before_mb < GROWTH_MB_MAX


async def accepted_again(target: Target) -> float:
    """Seconds until a request is accepted. Raises TimeoutError after 60 s."""
    started_s = time.monotonic()
    head, _, body = target.requests[0].partition(b"\r\n\r\n")
    lines = [line.partition(b": ") for line in head.split(b"\r\n")[1:]]
    headers = {name.decode(): value.decode() for name, _, value in lines if name.lower() != b"content-length"}
    async with asyncio.timeout(60), httpx2.AsyncClient(timeout=30) as client:
        submit = partial(client.post, f"{target.url}/v1/transfers", content=body, headers=headers)
        while (await submit()).status_code != 202:  # noqa: ASYNC110 (the API tells nobody)
            await asyncio.sleep(0.1)
    return time.monotonic() - started_s


def told_by(*arguments: str) -> str:
    return subprocess.check_output([HFTS, *arguments], text=True)


@contextlib.contextmanager
def running_stack() -> Iterator[str]:
    """The data folder of a stack that is up, and goes with it."""
    # PostgreSQL, which does not run as root, must be able to pass through.
    with tempfile.TemporaryDirectory(prefix="hfts-overload-") as folder:
        try:
            told_by("up", "--detach", "--data-dir", folder)
            yield folder
        finally:
            told_by("down", "--data-dir", folder)


async def prepare(environment: dict[str, str], processes: dict[str, int]) -> Target:
    """Accounts with a wallet each, and a ready request for each of them."""
    url = environment["API_URL"]
    requests = []
    async with httpx2.AsyncClient(base_url=url, timeout=30) as client:
        for _ in range(CALLERS):
            email = f"{uuid.uuid4()}@example.com"
            (await client.post("/v1/users", json={"email": email, "password": PASSWORD})).raise_for_status()
            form = {"grant_type": "password", "username": email, "password": PASSWORD}
            token = (await client.post("/v1/auth/token", data=form)).raise_for_status().json()["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            opened = await client.post("/v1/wallets", json={"currency": "EUR"}, headers=headers)
            requests.append(submission(token, opened.raise_for_status().json()["wallet_id"]))
    return Target(url, psutil.Process(processes["api"]), psutil.Process(processes["kafka-1"]), requests)


def submission(token: str, wallet_id: str) -> bytes:
    body = {"source_wallet_id": wallet_id, "destination_wallet_id": str(uuid.uuid4()), "amount": "1", "currency": "EUR"}
    content = json.dumps({**body, "metadata": {str(number): "x" * 500 for number in range(20)}}).encode()
    head = (
        f"POST /v1/transfers HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def overload(data_dir: str, options: argparse.Namespace) -> int:
    """0 when every phase went as it should."""
    environment = dict(line.split("=", 1) for line in told_by("env", "--data-dir", data_dir).splitlines())
    listed = json.loads(told_by("ps", "--json", "--data-dir", data_dir))
    target = await prepare(environment, {process["name"]: process["pid"] for process in listed})
    results = [
        await run_phase(f"{CALLERS} callers", target, target.requests, options),
        await run_phase("one caller", target, target.requests[:1], options),
    ]
    os.kill(target.broker.pid, signal.SIGSTOP)
    resuming = asyncio.get_running_loop().call_later(options.duration, os.kill, target.broker.pid, signal.SIGCONT)
    try:
        results.append(await run_phase(f"{CALLERS} callers, broker stopped", target, target.requests, options))
    finally:
        resuming.cancel()
        os.kill(target.broker.pid, signal.SIGCONT)
    return 0 if all(results) else 1


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description="Overload of an API, on a stack of its own.")
    parser.add_argument("--connections", type=int, default=3_000)
    parser.add_argument("--duration", type=float, default=20.0, help="seconds, of each of the three phases")
    options = parser.parse_args()
    with running_stack() as data_dir, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(overload(data_dir, options))


if __name__ == "__main__":
    sys.exit(main())
