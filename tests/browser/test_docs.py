"""The pages of documentation in a browser: they show what they should, and get nothing from elsewhere."""

from typing import Literal
from urllib.parse import urlsplit

from browser_visit import Visit, picture_path
from dashboard_site import Site
from playwright.async_api import BrowserContext, expect


async def test_the_http_api_can_be_tried_out(visit: Visit) -> None:
    await visit.page.goto(f"{visit.site.url}/docs")
    await visit.page.get_by_role("button", name="POST /v1/transfers Submit Transfer").click()
    await expect(visit.page.get_by_role("button", name="Try it out")).to_be_visible()
    await expect(visit.page.get_by_text("source_wallet_id").first).to_be_visible()


async def test_topics_can_be_read(visit: Visit) -> None:
    await visit.page.goto(f"{visit.site.url}/docs/topics")
    await expect(visit.page.get_by_role("heading", name="transfers.dead-letter")).to_be_visible()
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        await visit.page.emulate_media(color_scheme=scheme)
        await visit.picture(f"topics-{scheme}", whole=False)
    await visit.page.set_viewport_size({"width": 360, "height": 700})
    assert await visit.page.evaluate("document.documentElement.scrollWidth") == 360


async def test_redoc_gets_nothing_from_its_makers(context: BrowserContext, site: Site) -> None:
    """It asks for their logo; the policy does not let it."""
    page = await context.new_page()
    reached: list[str] = []
    page.on("requestfinished", lambda request: reached.append(request.url))
    await page.goto(f"{site.url}/redoc")
    await expect(page.get_by_role("heading", name="Submit Transfer")).to_be_visible()
    await page.screenshot(path=picture_path("redoc"))
    hosts = {urlsplit(url).netloc for url in reached if not url.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(site.url).netloc}
