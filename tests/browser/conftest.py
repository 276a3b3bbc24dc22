"""The page in a real browser, which nothing but this site is asked by."""

import shutil
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from browser_visit import Visit
from dashboard_site import Site, open_site
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from ops.embedded.stack import Stack
from tests.conftest import cloned_database

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # in containers it is small
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MS = 60_000
"""The machine may have much else to do."""


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    found = next((path for program in PROGRAMS if (path := shutil.which(program))), None)
    assert found, "these tests need Chromium: apt-get install chromium"
    expect.set_options(timeout=WAIT_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
async def site(stack: Stack, template: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with (
        cloned_database(stack, template) as settings,
        open_site(settings, tmp_path_factory.mktemp("site")) as site,
    ):
        yield site


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A profile without anything in it."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    context.set_default_timeout(WAIT_MS)
    yield context
    await context.close()


@pytest.fixture
async def visit(context: BrowserContext, site: Site) -> AsyncIterator[Visit]:
    """A page that has not been loaded. At the end: it has asked nobody else, and complained of nothing."""
    visit = Visit(await context.new_page(), site)
    visit.listen()
    yield visit
    hosts = {urlsplit(url).netloc for url in visit.asked if not url.startswith("data:")}
    assert hosts <= {urlsplit(site.url).netloc}
    assert visit.complaints == []
