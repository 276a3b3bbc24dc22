"""The API in this process, on the embedded servers."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from live_api import LiveApi, app_client

from schemas.settings import Settings


@pytest.fixture
async def live_api(settings: Settings, connection: asyncpg.Connection) -> AsyncIterator[LiveApi]:
    async with app_client(settings) as (app, client):
        yield LiveApi(app, client, connection, settings)
