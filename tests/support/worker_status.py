"""A worker that is asked over HTTP how it is."""

import asyncio
from typing import Any

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from ops.embedded.ports import free_port
from schemas.settings import Settings

ANSWER_S_MAX = 120.0


def listening(settings: Settings) -> Settings:
    """The settings of a worker with a port of its own."""
    return settings.model_copy(update={"worker_port": free_port(())})


def status_client(settings: Settings) -> httpx2.AsyncClient:
    """A client of the worker that listens there."""
    return httpx2.AsyncClient(base_url=f"http://127.0.0.1:{settings.worker_port}", timeout=30)


async def missing_parts(client: httpx2.AsyncClient) -> dict[str, str] | None:
    """What ``/readyz`` says is missing, by part; None while nobody listens."""
    try:
        answer = await client.get("/readyz")
    except httpx2.TransportError:
        return None
    found = {one["part"]: one["fault"] for one in answer.json().get("missing", [])}
    assert answer.status_code == (503 if found else 200)
    return found


async def wait_missing(client: httpx2.AsyncClient, **parts: str) -> None:
    """Wait until these parts are missing, for reasons in which these words stand, or none if none is named.

    Raises TimeoutError.
    """

    def fits(found: dict[str, str] | None) -> bool:
        if found is None or not parts:
            return found == {}
        return all(words in found.get(part, "") for part, words in parts.items())

    async with asyncio.timeout(ANSWER_S_MAX):
        while not fits(await missing_parts(client)):  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.1)


async def samples(client: httpx2.AsyncClient, name: str) -> dict[tuple[str, ...], float]:
    """The values of a metric at the moment, by its labels' values in the order of their names."""
    answer: Any = await client.get("/metrics")
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == name
    }


async def wait_sample(client: httpx2.AsyncClient, name: str, *labels: str, value: float) -> None:
    """Wait until the metric has come to this value. Raises TimeoutError."""
    async with asyncio.timeout(ANSWER_S_MAX):
        while (await samples(client, name)).get(labels) != value:  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.1)
