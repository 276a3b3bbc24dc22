"""A site that the examples are run against."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from payment_site import PaymentSite, open_payment_site

from ops.embedded.stack import Stack
from tests.conftest import cloned_database


@pytest.fixture(scope="session")
async def site(stack: Stack, template: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PaymentSite]:
    async with contextlib.AsyncExitStack() as open_:
        settings = await open_.enter_async_context(cloned_database(stack, template))
        yield await open_.enter_async_context(open_payment_site(settings, tmp_path_factory.mktemp("site")))
