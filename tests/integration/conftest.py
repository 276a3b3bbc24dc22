"""The API and the queue of deliveries in this process, on the embedded servers."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from live_api import LiveApi, app_client

from schemas.settings import Settings
from sinks.delivery.queue import Queue
from sinks.postgres.pool import create_pool


@pytest.fixture
async def live_api(settings: Settings, connection: asyncpg.Connection) -> AsyncIterator[LiveApi]:
    async with app_client(settings) as (app, client):
        yield LiveApi(app, client, connection, settings)


@pytest.fixture
async def queue(database_settings: Settings) -> AsyncIterator[Queue]:
    pool = await create_pool(database_settings, size_max=8)
    yield Queue(pool, emails_per_hour=3, results_kept_s=3_600)
    await pool.close()
